"""A model of several processes on one storage, which die, stall and lose messages by seed.

The processes run the real `LocalRunner`, `Execution`, `LeaseKeeper` and `MemoryStorage`. What is
simulated is what lies between them: the network, the broker, the clock, and death.
"""

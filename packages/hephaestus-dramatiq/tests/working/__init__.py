"""What the tests of the Dramatiq runner share: brokers, and a runner with a worker beside it."""

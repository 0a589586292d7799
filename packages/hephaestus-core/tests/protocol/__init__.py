"""The model of the storage protocol, and what it proves."""

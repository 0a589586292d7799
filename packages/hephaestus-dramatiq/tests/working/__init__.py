"""The runner with a Dramatiq worker in the same process."""

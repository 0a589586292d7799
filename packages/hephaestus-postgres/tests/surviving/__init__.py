"""What the storage, and an app on it, survive."""

"""Storages, brokers, and workers in this process, as tests put them together."""

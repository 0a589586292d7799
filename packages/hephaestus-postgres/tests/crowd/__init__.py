"""Races of several processes, and what they run."""

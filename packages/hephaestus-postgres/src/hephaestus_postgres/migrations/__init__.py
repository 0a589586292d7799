"""The schema, step by step; what was released is never edited."""

from hephaestus_postgres.migrations import v01_tables
from hephaestus_postgres.migrations.step import Step

STEPS: tuple[Step, ...] = (v01_tables.STEP,)
"""In the order of their numbers, from 1."""

__all__ = ["STEPS", "Step"]

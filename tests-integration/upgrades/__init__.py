"""From memory to Postgres to Dramatiq, with the workflow file untouched."""

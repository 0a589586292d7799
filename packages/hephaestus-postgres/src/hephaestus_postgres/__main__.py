"""`python -m hephaestus_postgres`."""

import sys

from hephaestus_postgres.command import main

if __name__ == "__main__":
    sys.exit(main())

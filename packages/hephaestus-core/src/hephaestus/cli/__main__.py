"""`python -m hephaestus.cli`."""

import sys

from hephaestus.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())

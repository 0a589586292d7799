"""How hard hypothesis looks: `HYPOTHESIS_PROFILE=thorough` tries a hundred times as much."""

import os

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=200)
settings.register_profile("thorough", deadline=None, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

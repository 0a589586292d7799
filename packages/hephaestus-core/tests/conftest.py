"""How hard hypothesis looks: `HYPOTHESIS_PROFILE=thorough` tries a hundred times as much."""

import os

from hypothesis import settings

# In CI the same examples every time: what a build finds comes of its change.
IN_CI = bool(os.environ.get("CI"))

settings.register_profile("quick", deadline=None, max_examples=150, derandomize=IN_CI)
settings.register_profile("thorough", deadline=None, max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

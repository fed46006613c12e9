"""How hard hypothesis tries: quickly, or with HYPOTHESIS_PROFILE=thorough for as long as it takes."""

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

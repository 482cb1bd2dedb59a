"""Property tests draw the same examples in every run, and a slow machine is no failure."""

from hypothesis import settings

settings.register_profile("same-examples", deadline=None, derandomize=True)
settings.load_profile("same-examples")

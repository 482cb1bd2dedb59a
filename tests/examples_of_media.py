"""Pictures and films as people record them, which are no part of the repository.

The environment variable PIXEL_ENV_MEDIA names their folder; without it the tests of them are skipped, by name.
"""

import os
from pathlib import Path

import pytest

_FOLDER = os.environ.get("PIXEL_ENV_MEDIA", "")
EXAMPLES = Path(_FOLDER).resolve() if _FOLDER else None
"""The folder of the examples, or None."""

needs_examples = pytest.mark.skipif(EXAMPLES is None, reason="PIXEL_ENV_MEDIA names no folder of example pictures")


def example(name: str) -> Path:
    """The path of an example, which must exist."""
    assert EXAMPLES is not None
    path = EXAMPLES / name
    assert path.is_file(), f"PIXEL_ENV_MEDIA has no {name}"
    return path

"""Chromium, for tests that look at pages.

Depends on playwright; independent of the pages.
"""

import os
import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright; apt-get install chromium")


def launched(playwright):
    """A browser; without one the test is skipped, or fails if PIXEL_ENV_REQUIRE names the browser."""
    try:
        # As root, in a container, Chromium starts without its sandbox only.
        return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    except sync_api.Error as error:
        missing = pytest.fail if "browser" in os.environ.get("PIXEL_ENV_REQUIRE", "").split(",") else pytest.skip
        missing(f"no Chromium: apt-get install chromium, or playwright install chromium ({error.message[:80]})")

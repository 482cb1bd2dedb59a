"""Where the checkout's parts are: the one definition that all tests use.

Depends on the location of this file; independent of the library.
"""

from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
EXAMPLES = ROOT / "examples"
DOCS = ROOT / "docs"
RECIPES = ROOT / "agents" / "recipes"

"""One side of a measurement in a process of its own, so that neither holds the memory or the caches of the other."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def printed_by(script: str, arguments: Sequence[str]) -> Any:
    """What the script prints as JSON in its last line."""
    child = subprocess.run([sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(child.stdout.splitlines()[-1])

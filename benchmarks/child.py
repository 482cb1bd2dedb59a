"""A `pixel-env` command as a child of a run: small picture cache, and no longer alive than its parent.

python -m benchmarks.child COMMAND [arguments]
"""

import ctypes
import signal
import sys

from pixel_env.cli import main
from pixel_env.media import CACHE

CACHE_BYTES = 64 * 2**20
"""Training meets each scene once: a large cache would only hold memory."""
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Linux only: a parent that is killed takes this process along. Elsewhere it goes on to its end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    die_with_parent()
    CACHE.max_bytes = CACHE_BYTES
    sys.exit(main(sys.argv[1:]))

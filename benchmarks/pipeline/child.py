"""A `pixel-env` command as a child of a run: with a small image cache, and ended with its parent.

python -m benchmarks.pipeline.child COMMAND [arguments]
"""

import ctypes
import os
import signal
import sys

from benchmarks.pipeline.jobs import PARENT
from pixel_env.cli import main
from pixel_env.media.cache import CACHE

CACHE_BYTES = 64 * 2**20
"""Training uses each scene once, so a large cache would only cost memory."""
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None) -> None:
    """Linux only: this process receives SIGTERM when its parent dies. On other systems it runs to its end.

    `parent`: its process id, if known; the parent may have ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if parent is not None and os.getppid() != parent:
            sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    die_with_parent(int(os.environ.get(PARENT, 0)) or None)
    CACHE.max_bytes = CACHE_BYTES
    sys.exit(main(sys.argv[1:]))

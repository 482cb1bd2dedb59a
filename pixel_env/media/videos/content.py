"""Which film a file holds: a hash of its size and of blocks spread over it.

Depends on files; independent of decoders. Hashing a whole film would cost more than decoding its frames.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from pixel_env.errors import MediaError
from pixel_env.media.changes import FileStamp, stamp_of

BLOCKS = 32
BLOCK_BYTES = 1 << 16
"""At most 2 MiB are read, so that a file of up to 2 MiB is hashed whole."""


def content_of(path: Path) -> str:
    """The hash, as hexadecimal digits; it is remembered until the file changes. Raises MediaError."""
    try:
        return _content_of(path, stamp_of(path, f"the video {path}"))
    except OSError as error:
        raise MediaError(f"cannot read the video {path}: {error.strerror}") from error


@lru_cache(maxsize=4096)
def _content_of(path: Path, stamp: FileStamp) -> str:
    digest = hashlib.sha256(b"blocks %d:" % stamp.size)
    with path.open("rb") as file:
        if stamp.size <= BLOCKS * BLOCK_BYTES:
            digest.update(file.read())
        else:
            last = stamp.size - BLOCK_BYTES
            for block in range(BLOCKS):
                file.seek(block * last // (BLOCKS - 1))
                digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()

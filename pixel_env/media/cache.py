"""The process's bounded cache of decoded images: every source is decoded late, and once.

Depends on views and Pillow; independent of where pixels come from and of how they are shown.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable

from PIL import Image

from pixel_env.media.bounded_cache import BoundedCache
from pixel_env.views import Colors, ProfiledSource, Source

_SIZES = 100_000
"""Images whose size is remembered: about 20 MB."""


_PILLOWS_BLOCK_BYTES = 16 * 2**20
_BLOCK_BYTES = 64 * 2**20
# Pillow's own blocks are of 16 MB, and glibc keeps what was freed of them: it returns to the system only blocks that
# are larger than 32 MB, whatever was freed before.
if "PILLOW_BLOCK_SIZE" not in os.environ and Image.core.get_block_size() == _PILLOWS_BLOCK_BYTES:  # not the user's own
    Image.core.set_block_size(_BLOCK_BYTES)


class DecodeCache:
    """Decoded images by source key, the least recently used dropped once `max_bytes` are held. Thread-safe.

    A source is decoded by one thread at a time, the others wait for it; `decoders` sources at once at most, because an
    image of 45 million pixels takes 180 MB while it is made.
    """

    def __init__(self, max_bytes: int, decoders: int | None = None) -> None:
        self._at_once = decoders or max(2, (os.cpu_count() or 2) // 4)
        self._images = BoundedCache(max_bytes, _bytes_of)
        self.forget()

    def forget(self) -> None:
        """Starts empty, in a child process too."""
        self._decoders = threading.BoundedSemaphore(self._at_once)
        self._images.forget()
        self._sizes: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def max_bytes(self) -> int:
        """The bound of the decoded images that are kept; the last one is kept however large it is."""
        return self._images.max_bytes

    @max_bytes.setter
    def max_bytes(self, max_bytes: int) -> None:
        self._images.max_bytes = max_bytes

    @property
    def kept_bytes(self) -> int:
        """What the kept images take together."""
        return self._images.kept_bytes

    def get(self, source: Source, colors: Colors = "srgb") -> Image.Image:
        """The decoded image of `source`. Do not draw on it: it is shared.

        `colors`: "stored" for the values of a picture as they are stored, whatever its profile says.
        """
        profiled = source if colors == "stored" and isinstance(source, ProfiledSource) else None
        decode = source.decode if profiled is None else profiled.decode_as_stored
        return self._images.get((source.key, profiled is None), lambda: self._decoded(source.key, decode))

    def size_of(self, source: Source) -> tuple[int, int]:
        """Width and height of the image, which are remembered longer than its pixels."""
        key = source.key
        with self._lock:
            size = self._sizes.get(key)
        return self.get(source).size if size is None else size

    def _decoded(self, key: str, decode: Callable[[], Image.Image]) -> Image.Image:
        with self._decoders:
            image = decode()
        with self._lock:
            self._sizes[key] = image.size
            if len(self._sizes) > _SIZES:
                self._sizes.popitem(last=False)
        return image


def _bytes_of(image: Image.Image) -> int:
    return image.width * image.height * (4 if image.mode == "RGB" else len(image.getbands()))  # Pillow pads RGB


CACHE = DecodeCache(max_bytes=256 * 2**20)
"""The process's cache. Set `CACHE.max_bytes` to change its bound."""
os.register_at_fork(after_in_child=CACHE.forget)

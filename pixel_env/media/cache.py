"""The process's bounded cache of decoded images: every source is decoded late, and once.

Depends on views and Pillow; independent of where pixels come from and of how they are shown.
"""

import os
import threading
from collections import OrderedDict

from PIL import Image

from pixel_env.views import Colors, ProfiledSource, Source

_SIZES = 100_000
"""Images whose size is remembered: about 20 MB."""
_STORED = "stored:"
"""What the keys of pictures begin with whose profile is left aside."""


class DecodeCache:
    """Decoded images by source key, the least recently used dropped once `max_bytes` are held. Thread-safe.

    A source is decoded by one thread at a time, the others wait for it; `decoders` sources at once at most, because an
    image of 45 million pixels takes 180 MB while it is made.
    """

    def __init__(self, max_bytes: int, decoders: int | None = None) -> None:
        self.max_bytes = max_bytes
        self._decoders = threading.BoundedSemaphore(decoders or max(2, (os.cpu_count() or 2) // 4))
        self._turns: dict[str, threading.Lock] = {}
        self._images: OrderedDict[str, Image.Image] = OrderedDict()
        self._sizes: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, source: Source, colors: Colors = "srgb") -> Image.Image:
        """The decoded image of `source`. Do not draw on it: it is shared.

        `colors`: "stored" for the values of a picture as they are stored, whatever its profile says.
        """
        profiled = source if colors == "stored" and isinstance(source, ProfiledSource) else None
        key = source.key if profiled is None else f"{_STORED}{source.key}"
        if (image := self._kept(key)) is not None:
            return image
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if (image := self._kept(key)) is not None:
                return image
            try:
                with self._decoders:
                    image = source.decode() if profiled is None else profiled.decode_as_stored()
                self._keep(key, image, source.key)
            finally:
                with self._lock:
                    self._turns.pop(key, None)
        return image

    def size_of(self, source: Source) -> tuple[int, int]:
        """Width and height of the image, which are remembered longer than its pixels."""
        key = source.key
        with self._lock:
            size = self._sizes.get(key)
        return self.get(source).size if size is None else size

    def _kept(self, key: str) -> Image.Image | None:
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
            return self._images.get(key)

    def _keep(self, key: str, image: Image.Image, source_key: str) -> None:
        with self._lock:
            self._sizes[source_key] = image.size
            if len(self._sizes) > _SIZES:
                self._sizes.popitem(last=False)
            if key not in self._images:
                self._images[key] = image
                self._bytes += _bytes_of(image)
            while self._bytes > self.max_bytes and len(self._images) > 1:
                _, dropped = self._images.popitem(last=False)
                self._bytes -= _bytes_of(dropped)


def _bytes_of(image: Image.Image) -> int:
    return image.width * image.height * (4 if image.mode == "RGB" else len(image.getbands()))  # Pillow pads RGB


CACHE = DecodeCache(max_bytes=256 * 2**20)
"""The process's cache. Set `CACHE.max_bytes` to change its bound."""

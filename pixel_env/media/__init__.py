"""Images and videos: decoding, sizes, and what a view looks like when it is shown."""

from pixel_env.media.cache import CACHE
from pixel_env.media.showing import SHOWN, show
from pixel_env.media.sizes import shown_size
from pixel_env.media.sources import FileSource, ImageSource

__all__ = ["CACHE", "SHOWN", "FileSource", "ImageSource", "show", "shown_size"]

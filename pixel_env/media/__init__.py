"""Images and videos: decoding, sizes, and what a view looks like when it is shown."""

from pixel_env.media.images import CACHE, FileSource, ImageSource, show, shown_size

__all__ = ["CACHE", "FileSource", "ImageSource", "show", "shown_size"]

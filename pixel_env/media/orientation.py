"""The size of an image as it is shown, read from its header: turned upright by its EXIF orientation.

Depends on Pillow; independent of sources. Boxes in pixels are divided by this size, because `decode` of every source
turns the image upright.
"""

from typing import IO

from PIL import ExifTags, Image

_SWAPS_SIDES = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
_PNG_SIGNATURE_BYTES = 8
_PNG_METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
_HEADER_METADATA = ("XML:com.adobe.xmp", "Raw profile type exif")


def upright_size(opened: Image.Image, file: IO[bytes]) -> tuple[int, int]:
    """Width and height of the image opened from `file`, turned upright.

    No pixel is decoded, except of a PNG that has its metadata behind its pixels.
    """
    if opened.format == "PNG" and "exif" not in opened.info and not _may_be_turned(opened, file):
        return opened.size  # Pillow would decode all of the pixels to look for an orientation
    exif = opened.getexif()
    width, height = opened.size
    if opened.format == "TIFF":  # whose size Pillow turns, some versions when opening and some when decoding
        width, height = exif[ExifTags.Base.ImageWidth], exif[ExifTags.Base.ImageLength]
    return (height, width) if exif.get(ExifTags.Base.Orientation) in _SWAPS_SIDES else (width, height)


def _may_be_turned(opened: Image.Image, file: IO[bytes]) -> bool:
    return any(name in opened.info for name in _HEADER_METADATA) or _has_metadata_behind_pixels(file)


def _has_metadata_behind_pixels(file: IO[bytes]) -> bool:
    """Whether a PNG has a chunk of metadata behind its first chunk of pixels. `file` is left where it was."""
    position, is_behind = file.tell(), False
    try:
        file.seek(_PNG_SIGNATURE_BYTES)
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if is_behind and kind in _PNG_METADATA:
                return True
            is_behind = is_behind or kind == b"IDAT"
            file.seek(length + 4, 1)
        return False
    finally:
        file.seek(position)

"""Pictures upright, by their EXIF orientation, and their size so, read from the header.

Depends on Pillow; independent of sources. Boxes in pixels are divided by this size, because `decode` of every source
turns the image upright. A block that cannot be read turns nothing: the pixels are shown as they lie.
"""

from typing import IO

from PIL import ExifTags, Image, TiffImagePlugin, TiffTags

_UPRIGHT = 1
_SWAPS_SIDES = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
_METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation, what turns the picture upright (EXIF 2.32, tag 274)."""
_PNG_SIGNATURE_BYTES = 8
_PNG_METADATA = (b"eXIf", b"iTXt", b"tEXt", b"zTXt")
_HEADER_METADATA = ("XML:com.adobe.xmp", "Raw profile type exif")


def upright_size(opened: Image.Image, file: IO[bytes]) -> tuple[int, int]:
    """Width and height of the image opened from `file`, turned upright.

    No pixel is decoded, except of a PNG that has its metadata behind its pixels.
    """
    if opened.format == "TIFF":
        return opened.size  # Pillow turns it when opening
    if opened.format == "PNG" and "exif" not in opened.info and not _may_be_turned(opened, file):
        return opened.size  # Pillow would decode all of the pixels to look for an orientation
    width, height = opened.size
    return (height, width) if orientation_of(opened) in _SWAPS_SIDES else (width, height)


def orientation_of(opened: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none, or none that can be read."""
    try:
        orientation = opened.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
        return orientation if orientation in _METHODS else _UPRIGHT
    except Exception:  # a broken block makes Pillow's readers raise nearly anything
        return _UPRIGHT


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """`image` upright; the image itself if it is. A turned one has no metadata, which would turn it again."""
    if orientation not in _METHODS:
        return image
    upright = image.transpose(_METHODS[orientation])
    upright.info = {}
    return upright


def drop_broken_exif(opened: Image.Image) -> None:
    """Removes the blocks of an opened TIFF that cannot be read, with which Pillow would refuse its pixels."""
    if not isinstance(opened, TiffImagePlugin.TiffImageFile) or not opened.tile:
        return
    exif = opened.getexif()
    for key in [key for key in TiffTags.TAGS_V2_GROUPS if key in exif]:
        try:
            exif.get_ifd(key)
        except Exception:  # as in orientation_of
            del exif[key]


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

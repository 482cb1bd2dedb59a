"""Pictures in files: the one place where such a file is opened, and the one where it becomes upright RGB.

Depends on Pillow, and for HEIC on the extra `heic`; independent of sources and caches. docs/media.md states the rules.
"""

from pathlib import Path
from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from pixel_env.errors import MissingExtraError
from pixel_env.media.greys import in_eight_bits, is_deep
from pixel_env.media.orientation import drop_broken_exif, orientation_of, turned
from pixel_env.media.profiles import in_srgb
from pixel_env.media.transparency import has_alpha, on_white, with_key_as_alpha
from pixel_env.views import Colors

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF", "AVIF", "JPEG2000", "ICO", "QOI")
"""Pillow's names of the formats that are read, HEIC aside. Those of its first plugins come first, which start quickly.

Left out: what is drawn by another program (EPS), what tells nothing of itself by its first bytes (TGA), films,
metafiles, stubs and layers.
"""

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jp2"),
    *(".heic", ".heif"),
)
"""How names of pictures end, where a folder or an archive is searched for them. What a file is, its content tells."""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_COLOURS = ("L", "LA", "RGB", "RGBA", "CMYK")
"""The modes of which a profile can describe the colours; a picture of another mode becomes RGB first."""


def opened(file: str | Path | IO[bytes]) -> ImageFile.ImageFile:
    """The picture, opened by its content, whatever its name; no pixel is decoded.

    Raises UnidentifiedImageError for a file of another format than FORMATS, MissingExtraError for HEIC without the
    extra, OSError for a file that cannot be read, and what else Pillow's readers raise for broken ones.
    """
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        if _begins_as_heic(file):
            return _opened_heic(file)
        names = ", ".join(sorted((*FORMATS, "HEIC")))
        raise UnidentifiedImageError(f"it is not an image that can be read; wanted: one of {names}") from error


def decoded(picture: Image.Image, colors: Colors = "srgb") -> Image.Image:
    """An opened picture as it is shown: RGB, upright, on white, in eight bits; `picture` itself where it is all that.

    `colors`: whether an embedded profile counts, or the values count as they are stored. Of several frames the current
    one is decoded: the first, if none was chosen. Raises what Pillow's readers raise for a broken file.
    """
    size = picture.size
    drop_broken_exif(picture)
    key_is_alpha = with_key_as_alpha(picture)  # while the file is open
    picture.load()
    if picture.size != size:  # boxes are divided by the size that the header states
        raise ValueError(f"its header states {size[0]}x{size[1]}, and its pixels are {picture.width}x{picture.height}")
    deep = is_deep(picture.mode)
    image = key_is_alpha(in_eight_bits(picture) if deep else picture)
    if image.mode not in _COLOURS or "transparency" in image.info:
        image = image.convert("LA" if image.mode == "La" else "RGBA" if has_alpha(image) else "RGB")
    # Levels between a picture's own extremes are none of those that a profile speaks of.
    if colors == "srgb" and not (deep and picture.mode in ("I", "F")):
        image = in_srgb(image, picture.info.get("icc_profile"))
    if has_alpha(image):
        image = on_white(image)
    return turned(image if image.mode == "RGB" else image.convert("RGB"), orientation_of(picture))


def has_more_frames(picture: Image.Image) -> bool:
    """Whether an opened file is animated or has several pages, of which a picture shows the first.

    A phone's photograph with a second picture in its file (MPO) is one photograph.
    """
    try:
        return picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
    except Exception:  # what is behind the first frame may be broken
        return False


def _begins_as_heic(file: str | Path | IO[bytes]) -> bool:
    if isinstance(file, str | Path):
        with Path(file).open("rb") as content:
            return _begins_as_heic(content)
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    return head[4:8] == b"ftyp" and head[8:] in _HEIC_BRANDS


def _opened_heic(file: str | Path | IO[bytes]) -> ImageFile.ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise MissingExtraError.needs("a HEIC image", "heic") from error
    picture = HeifImageFile(file)
    pixels, bound = picture.width * picture.height, Image.MAX_IMAGE_PIXELS
    if bound is not None and pixels > 2 * bound:  # as Image.open refuses the other formats
        picture.close()
        raise Image.DecompressionBombError(f"it has {pixels} pixels, more than the limit of {2 * bound}")
    return picture

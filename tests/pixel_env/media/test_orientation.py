"""The size of an image as it is shown, from its header."""

import io
import struct
import zlib

import pytest
from PIL import Image

from pixel_env.media.orientation import upright_size
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files.images import ImageFolder
from tests.turned_photos import UNTURNED, turned_photo


@pytest.mark.parametrize("orientation", UNTURNED)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_the_size_of_a_photo_is_that_at_which_it_is_decoded(tmp_path, suffix, orientation):
    path = turned_photo(tmp_path / f"photo{suffix}", (40, 60), orientation=orientation)
    assert FileSource(path).decode().size == ImageFolder(tmp_path).size(path.name) == (40, 60)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_an_orientation_behind_the_pixels_of_a_png_is_found(tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "late.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    content = (tmp_path / "late.png").read_bytes()
    behind = content.index(b"IEND") - 4
    late = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    (tmp_path / "late.png").write_bytes(content[:behind] + late + content[behind:])
    assert FileSource(tmp_path / "late.png").decode().size == (40, 60)
    assert ImageFolder(tmp_path).size("late.png") == (40, 60)


def test_the_pixels_of_a_png_without_metadata_are_not_decoded():
    file = io.BytesIO()
    Image.effect_noise((300, 200), 50).save(file, "PNG")
    cut = io.BytesIO(file.getvalue()[:2000])  # decoding it would fail
    with Image.open(cut) as opened:
        assert upright_size(opened, cut) == (300, 200)

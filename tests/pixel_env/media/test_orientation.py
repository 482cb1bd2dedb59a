"""The size of an image as it is shown, from its header."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import decoded, opened
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files.images import ImageFolder
from tests.pixel_env.media.pngs import chunk
from tests.turned_photos import UNTURNED, turned_photo


@pytest.mark.parametrize("orientation", UNTURNED)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_the_size_of_a_photo_is_that_at_which_it_is_decoded(tmp_path, suffix, orientation):
    path = turned_photo(tmp_path / f"photo{suffix}", (40, 60), orientation=orientation)
    assert FileSource(path).decode().size == ImageFolder(tmp_path).size(path.name) == (40, 60)


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


@pytest.mark.parametrize("orientation", UNTURNED)
def test_a_photo_is_turned_as_pillow_turns_it_and_not_twice(tmp_path, orientation):
    path = turned_photo(tmp_path / "photo.png", (40, 60), [[3, 5, 10, 20]], orientation=orientation)
    once = FileSource(path).decode()
    with Image.open(path) as photo:
        assert np.array_equal(once, ImageOps.exif_transpose(photo))
    assert decoded(once).size == once.size == (40, 60)


# ---------------------------------------------------------------------------------------------------- broken EXIF

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Tag data larger", "ignore:Truncated")

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def block():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 0x829A: (1, 30)}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    return exif.tobytes()


def sizes_of(data):
    """The size that the header tells, and the picture."""
    with opened(io.BytesIO(data)) as picture:
        size = upright_size(picture, io.BytesIO(data))
    with opened(io.BytesIO(data)) as picture:
        return size, decoded(picture)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_block_that_cannot_be_read_refuses_no_picture_and_turns_none(form):
    rng = np.random.default_rng(0)
    options = {} if form == "JPEG" else {"lossless": True}
    sizes = set()
    for number in range(120):
        exif = bytearray(block())
        for at in rng.integers(len(exif), size=rng.integers(1, 13)):
            exif[at] = rng.integers(256)
        kept = rng.integers(len(exif)) if number % 4 == 0 else len(exif)
        buffer = io.BytesIO()
        NOISE.save(buffer, form, exif=bytes(exif[:kept]), **options)
        size, picture = sizes_of(buffer.getvalue())
        assert size == picture.size
        if form != "JPEG" and size == NOISE.size:
            assert np.array_equal(np.sort(np.asarray(picture), axis=None), np.sort(np.asarray(NOISE), axis=None))
        sizes.add(size)
    assert sizes == {(60, 40), (40, 60)}  # some blocks are broken elsewhere, and still turn the picture


def test_a_broken_block_within_a_tiff_refuses_no_picture():
    buffer = io.BytesIO()
    NOISE.save(buffer, "TIFF", exif=block())
    whole = buffer.getvalue()
    size, upright = sizes_of(whole)
    assert size == upright.size == (40, 60)
    with opened(io.BytesIO(whole)) as picture:
        places = [picture.tag_v2[0x8769], picture.tag_v2[0x8825]]
    for place in places:
        for at in range(place, place + 30):
            for value in (0, 255):
                broken = bytearray(whole)
                broken[at] = value
                size, picture = sizes_of(bytes(broken))
                assert size == picture.size == (40, 60) and np.array_equal(picture, upright)
        pointer = whole.index(place.to_bytes(4, "little"))
        for target in (len(whole) - 1, len(whole) + 1000, 2**31):
            moved = whole[:pointer] + target.to_bytes(4, "little") + whole[pointer + 4 :]
            assert np.array_equal(sizes_of(moved)[1], upright)


@pytest.mark.parametrize("orientation", [0, 9, 99, 65535])
def test_an_orientation_that_there_is_not_turns_nothing(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = NOISE.copy()
    image.info["exif"] = exif.tobytes()
    assert decoded(image) is image

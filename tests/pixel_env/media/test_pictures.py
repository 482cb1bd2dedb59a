"""Picture files of every format: opened by content, decoded upright to RGB, or refused by name."""

import importlib.util
import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixel_env.errors import MediaError, MissingExtraError
from pixel_env.media import pictures
from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import FORMATS, IMAGE_SUFFIXES, decoded, has_more_frames, opened
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files.images import image_facts
from tests.examples_of_media import example, needs_examples

SIZE = (48, 32)
RAMP = np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(SIZE[1], SIZE[0])
DEEP = {
    "I": (RAMP * 65535).astype(np.int32),
    "F": RAMP.astype(np.float32),
    "I;16": (RAMP * 65535).astype(np.uint16),
}
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I;16B", "I;16L", *DEEP]
needs_heic = pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="the extra heic is missing")


def drawn(mode):
    """A picture of the mode that uses its whole range."""
    if mode in DEEP:
        return Image.fromarray(DEEP[mode])
    if mode.startswith("I;16"):
        return Image.frombytes(mode, SIZE, DEEP["I;16"].astype(">u2" if mode == "I;16B" else "<u2").tobytes())
    rgb = Image.fromarray(np.dstack([RAMP * 255, RAMP[::-1] * 255, RAMP[:, ::-1] * 255]).astype(np.uint8))
    if mode == "LAB":
        return ImageCms.profileToProfile(
            rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    if mode in ("L", "LA", "PA", "1"):
        return Image.fromarray((RAMP * 255).astype(np.uint8)).convert(mode)
    return rgb.quantize(64) if mode == "P" else rgb.convert(mode)


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def shown(data):
    with opened(io.BytesIO(data)) as picture:
        return decoded(picture)


def written(form, mode):
    """A file of that format with pixels of that mode; None where Pillow writes none."""
    try:
        return saved(drawn(mode), form, **({"sizes": [SIZE]} if form == "ICO" else {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


WRITTEN = {(form, mode): data for form in FORMATS for mode in MODES if (data := written(form, mode)) is not None}


def test_most_formats_are_written_in_several_modes():
    assert {form for form, _ in WRITTEN} == set(FORMATS) and len(WRITTEN) > 5 * len(FORMATS)


@pytest.mark.parametrize(("form", "mode"), WRITTEN)
def test_a_picture_of_every_mode_that_a_format_can_hold_is_shown_with_its_whole_range(form, mode):
    image, data = drawn(mode), WRITTEN[form, mode]
    if (form, mode) == ("JPEG2000", "I;16B"):
        pytest.skip("Pillow writes the bytes of each value in the wrong order")
    with opened(io.BytesIO(data)) as picture:
        is_reduced = mode in ("I", "F", "I;16", "I;16B", "I;16L") and picture.mode in ("P", "L", "RGB")
        header = upright_size(picture, io.BytesIO(data))
    rgb = shown(data)
    assert (rgb.mode, rgb.size) == ("RGB", header)
    if not is_reduced:  # Pillow itself clips deep greys when it writes a format of eight bits
        assert np.abs(np.asarray(rgb).astype(int) - np.asarray(decoded(image))).mean() < 8
        assert len(np.unique(np.asarray(rgb))) > 20 or mode == "1"


def test_a_picture_is_told_by_its_content_and_not_by_its_name(tmp_path):
    for number, form in enumerate(FORMATS):
        (tmp_path / f"{number}.txt").write_bytes(saved(drawn("RGB"), form))
        assert FileSource(tmp_path / f"{number}.txt").decode().mode == "RGB"
        assert not image_facts(tmp_path / f"{number}.txt").fault


@pytest.mark.parametrize("form", ["EPS", "PDF", "TGA", "PCX", "DDS", "IM"])
def test_other_formats_are_refused_in_a_line_that_says_what_is_read(tmp_path, form):
    for name in ("picture.jpg", f"picture.{form.lower()}"):
        (tmp_path / name).write_bytes(saved(drawn("RGB"), form))
        with pytest.raises(
            MediaError, match="it is not an image that can be read; wanted: one of AVIF, BMP, GIF"
        ) as error:
            FileSource(tmp_path / name).decode()
        assert "\n" not in str(error.value)
        assert image_facts(tmp_path / name).fault.startswith("it is not an image that can be read; wanted: one of")


def test_no_reader_of_other_formats_is_called(monkeypatch):
    """A PostScript file would start Ghostscript, which draws whatever program is in the file."""
    data = saved(drawn("RGB"), "EPS")
    Image.init()
    for form in set(Image.OPEN) - set(FORMATS):
        monkeypatch.setitem(Image.OPEN, form, (lambda *_: pytest.fail("called"), lambda prefix: pytest.fail("asked")))
    with pytest.raises(OSError, match="not an image that can be read"):
        opened(io.BytesIO(data))


# ---------------------------------------------------------------------------------------------------- HEIC


@needs_heic
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_heic_is_decoded_upright_and_on_white(tmp_path, mode):
    from pillow_heif import register_heif_opener

    register_heif_opener()  # to write it
    image = drawn(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "photo.heic", quality=-1, exif=exif.tobytes())
    picture = FileSource(tmp_path / "photo.heic").decode()
    facts = image_facts(tmp_path / "photo.heic")
    assert (facts.width, facts.height) == picture.size == SIZE and not facts.fault
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(decoded(image))).mean() < 6
    (tmp_path / "cut.heic").write_bytes((tmp_path / "photo.heic").read_bytes()[:400])
    assert image_facts(tmp_path / "cut.heic").fault


@needs_heic
def test_a_broken_heic_is_refused_in_one_line_or_shown_at_the_size_of_its_header(tmp_path):
    from pillow_heif import register_heif_opener

    register_heif_opener()
    whole, path, rng = saved(drawn("RGB"), "HEIF"), tmp_path / "photo.heic", np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        broken = bytearray(whole)
        for at in rng.integers(12, 400, size=3):
            broken[at] = rng.integers(256)
        path.write_bytes(broken)
        facts = image_facts(path)
        refused += bool(facts.fault)
        assert "\n" not in facts.fault
        assert facts.fault or FileSource(path).decode().size == (facts.width, facts.height)
    assert 0 < refused < 60


@needs_heic
def test_a_heic_of_too_many_pixels_is_refused_by_its_header(tmp_path, monkeypatch):
    from pillow_heif import register_heif_opener

    register_heif_opener()
    drawn("RGB").save(tmp_path / "photo.heic")
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 700)  # it has 1536
    with pytest.raises(Image.DecompressionBombError, match="it has 1536 pixels, more than the limit of 1400"):
        opened(tmp_path / "photo.heic")
    assert image_facts(tmp_path / "photo.heic").fault
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 800)
    assert not image_facts(tmp_path / "photo.heic").fault


def test_a_heic_names_the_extra_that_reads_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(MissingExtraError, match=r"a HEIC image needs .*pip install 'pixel-env\[heic\]'"):
        opened(tmp_path / "photo.jpg")
    with pytest.raises(MediaError, match=r"photo\.jpg: a HEIC image needs .*pixel-env\[heic\]"):
        FileSource(tmp_path / "photo.jpg").decode()
    assert "pixel-env[heic]" in image_facts(tmp_path / "photo.jpg").fault


# ---------------------------------------------------------------------------------------------------- frames


def frames(form, count, **options):
    images = [Image.new("RGB", (20, 20), (80 * number, 0, 0)) for number in range(count)]
    return saved(images[0], form, **({"save_all": True, "append_images": images[1:]} if count > 1 else {}), **options)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_several_frames_or_pages_the_first_is_shown_and_that_is_known(form):
    several, one = frames(form, 3), frames(form, 1)
    assert max(shown(several).getpixel((5, 5))) < 8
    with opened(io.BytesIO(several)) as picture, opened(io.BytesIO(one)) as single:
        assert has_more_frames(picture) and not has_more_frames(single)


def test_a_photograph_with_a_second_picture_in_its_file_is_one_photograph():
    data = frames("MPO", 2)
    with opened(io.BytesIO(data)) as picture:
        assert picture.format == "MPO" and picture.n_frames == 2 and not has_more_frames(picture)


def test_what_is_broken_behind_the_first_frame_refuses_nothing():
    data = frames("GIF", 3)
    for end in (
        data[: len(data) // 2] + b"\xff" * 40,
        data + b"\x21\xfe\x05no \xe9n\x00 and more",
        data[:-1] + b"junk",
    ):
        assert shown(end).getpixel((5, 5)) == (0, 0, 0)
        with opened(io.BytesIO(end)) as picture:
            assert has_more_frames(picture) in (True, False)


@needs_examples
@pytest.mark.parametrize(
    ("name", "has_more"), [("hopper.gif", False), ("cogs.gif", True), ("comment_after_last_frame.gif", True)]
)
def test_gifs_with_comments_show_their_first_frame(name, has_more):
    path = example(f"media/{name}")
    assert FileSource(path).decode().size == image_facts(path)[:2]
    with opened(path) as picture:
        assert has_more_frames(picture) is has_more


def test_every_list_of_suffixes_is_this_one():
    assert {".avif", ".jfif", ".jp2", ".heic", ".heif", ".jpg", ".webp"} <= set(IMAGE_SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)
    assert pictures.FORMATS[:2] == ("JPEG", "PNG")

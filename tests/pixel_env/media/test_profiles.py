"""Embedded colour profiles: shown as sRGB, or as stored where a dialect says so."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.media.cache import DecodeCache
from pixel_env.media.pictures import decoded, opened
from pixel_env.media.showing import show
from pixel_env.media.sources import FileSource, ImageSource
from pixel_env.testing import PixelSource
from pixel_env.views import View, ViewKind
from tests.pixel_env.media.icc import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    grey_profile,
    in_linear_srgb,
    ink_profile,
    levels_of,
    matrix_profile,
)

COLOURS = np.array([(200, 60, 50), (40, 160, 70), (30, 60, 180), (128, 128, 128), (255, 255, 255), (0, 0, 0)], np.uint8)


def written(image, form="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def shown(data, colors="srgb"):
    with opened(io.BytesIO(data)) as picture:
        return np.asarray(decoded(picture, colors))


def card(mode="RGB"):
    return Image.fromarray(COLOURS[None]).convert(mode)


@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB])
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_a_wide_gamut_picture_is_shown_in_the_colours_that_its_profile_names(primaries, form):
    data = written(
        card(), form, icc_profile=matrix_profile(primaries), **({"lossless": True} if form == "WEBP" else {})
    )
    expected = [levels_of(in_linear_srgb(colour / 255, primaries)) for colour in COLOURS]
    assert np.abs(shown(data)[0] - np.array(expected)).max() <= 1.6
    assert np.array_equal(shown(data, "stored")[0], COLOURS)
    assert np.abs(shown(data)[0].astype(int) - COLOURS).max() > 10


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile",
        b"",
        matrix_profile(DISPLAY_P3)[:200],
        matrix_profile(DISPLAY_P3)[:128] + b"\xff" * 400,
        grey_profile(1.0),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
    ids=["sRGB", "text", "empty", "cut off", "broken tags", "of greys", "of Lab"],
)
def test_a_profile_that_is_srgb_or_broken_or_of_other_colours_changes_no_byte(profile):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    assert np.array_equal(shown(written(noise, icc_profile=profile)), np.asarray(noise))


def test_greys_and_palettes_and_transparent_pictures_follow_their_profiles_too():
    levels = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    linear = shown(written(levels, icc_profile=grey_profile(1.0)))[0]
    assert np.abs(linear[:, 0] - levels_of(np.arange(256) / 255)).max() <= 1 and (linear[:, 0] == linear[:, 2]).all()
    p3 = matrix_profile(DISPLAY_P3)
    whole = shown(written(card(), icc_profile=p3))
    palette = card().quantize(6)
    of_palette = shown(written(palette, icc_profile=p3))
    assert np.array_equal(of_palette, shown(written(palette.convert("RGB"), icc_profile=p3)))
    clear = card("RGBA")
    clear.putpixel((0, 0), (200, 60, 50, 0))
    on_white = shown(written(clear, icc_profile=p3))
    assert on_white[0, 0].tolist() == [255, 255, 255] and np.array_equal(on_white[0, 1:], whole[0, 1:])
    la = levels.convert("LA")
    la.putpixel((0, 0), (0, 0))
    assert np.array_equal(shown(written(la, icc_profile=grey_profile(1.0)))[0, 1:], linear[1:])


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_are_those_of_the_profile(form):
    options = {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    inks = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (255, 255, 255, 255)]
    image = Image.fromarray(np.repeat(np.array(inks, np.uint8), 16, axis=0).repeat(16, 0).reshape(64, 16, 4), "CMYK")
    profiled = shown(written(image, form, icc_profile=ink_profile(), **options))[[8, 24, 40, 56], 8].astype(int)
    plain = shown(written(image, form, **options))[[8, 24, 40, 56], 8].astype(int)
    assert np.abs(profiled - profiled[:, :1]).max() <= 4  # greys
    assert profiled[0].min() > 250 and profiled[3].max() < 8 and 150 < profiled[1, 0] < 220
    assert np.ptp(plain[1]) > 200  # without the profile it is cyan


def test_a_grey_picture_with_a_profile_of_rgb_is_shown_as_stored():
    grey = card("L")
    assert np.array_equal(shown(written(grey, icc_profile=matrix_profile(DISPLAY_P3)))[..., 0], np.asarray(grey))


def test_a_dialect_says_whether_profiles_count(tmp_path):
    (tmp_path / "wide.png").write_bytes(
        written(card().resize((600, 600), Image.Resampling.NEAREST), icc_profile=matrix_profile(DISPLAY_P3))
    )
    view = View(FileSource(tmp_path / "wide.png"), ViewKind.ORIGINAL)
    assert DIALECTS["default"].budgets.colors == "srgb"
    for name in ("released", "released:train-pixels", "released:vcot"):
        assert dialect_named(name).budgets.colors == "stored"
    as_srgb, as_stored = (show(view, DIALECTS[name].budgets) for name in ("default", "released"))
    assert as_stored[300, 50].tolist() == COLOURS[0].tolist()
    assert np.abs(as_srgb[300, 50].astype(int) - COLOURS[0]).max() > 10


def test_the_cache_keeps_both_and_asks_other_sources_for_their_pixels_once(tmp_path):
    (tmp_path / "wide.png").write_bytes(written(card(), icc_profile=matrix_profile(DISPLAY_P3)))
    cache, source, other = DecodeCache(max_bytes=10**6), FileSource(tmp_path / "wide.png"), PixelSource(8, 8)
    assert np.array_equal(np.asarray(cache.get(source, "stored"))[0], COLOURS)
    assert not np.array_equal(cache.get(source), cache.get(source, "stored"))
    assert cache.get(source) is cache.get(source) and cache.get(source, "stored") is cache.get(source, "stored")
    assert cache.get(other, "stored") is cache.get(other)


def test_pictures_in_memory_follow_their_profiles_and_their_keys_tell_them_apart():
    plain, profiled, as_srgb = card(), card(), card()
    profiled.info["icc_profile"] = matrix_profile(DISPLAY_P3)
    as_srgb.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert ImageSource(plain).key == ImageSource(as_srgb).key != ImageSource(profiled).key
    assert not np.array_equal(ImageSource(profiled).decode(), profiled)
    assert np.array_equal(ImageSource(profiled).decode_as_stored(), plain)
    assert np.array_equal(profiled, plain)  # what the user holds is not changed


def test_threads_share_a_transform_and_get_the_same_pixels():
    rng = np.random.default_rng(0)
    pictures = [
        written(
            Image.fromarray(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)), icc_profile=matrix_profile(SRGB, 1.8)
        )
        for _ in range(12)
    ]
    alone = [shown(data) for data in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(shown, pictures * 4))
    assert all(np.array_equal(pixels, alone[index % 12]) for index, pixels in enumerate(together))

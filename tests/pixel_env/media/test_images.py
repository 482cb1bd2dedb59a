"""Pixels: decoding, sizes, the cache, and views that read the source."""

import io
import pickle
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.errors import MediaError
from pixel_env.media.cache import DecodeCache
from pixel_env.media.pictures import decoded
from pixel_env.media.showing import show
from pixel_env.media.sizes import fitted_size, native_size, shown_size
from pixel_env.media.sources import FileSource, ImageSource
from pixel_env.testing import PixelSource
from pixel_env.views import PixelBudget, View, ViewKind

EXACT = view_budgets((28 * 28, 10**8), (1, 10**8), (1, 10**8), (1, 10**8), factor=1)


@pytest.mark.parametrize(
    ("size", "budget", "shown"),
    [
        ((1000, 500), PixelBudget(28 * 28, 10**7), (1008, 504)),  # rounded to multiples of 28
        ((4000, 2000), PixelBudget(1, 28 * 28 * 200), (560, 280)),  # shrunk, sides round down
        ((100, 50), PixelBudget(28 * 28 * 201, 10**7), (588, 308)),  # enlarged, sides round up
        ((512, 512), PixelBudget(4096, 4096, 16), (64, 64)),
        ((14, 70), PixelBudget(11520, 11520, 16), (48, 240)),  # in floating point a little more than 3 and 15 units
        ((3, 300), PixelBudget(1, 10**7), (28, 308)),
    ],
)
def test_images_are_shown_at_the_size_of_smart_resize(size, budget, shown):
    assert fitted_size(*size, budget) == shown


@given(st.integers(20, 4000), st.integers(20, 4000), st.integers(50, 4000), st.sampled_from([14, 28, 32]))
def test_a_shown_size_is_a_multiple_of_the_factor_and_within_the_maximum(width, height, units, factor):
    budget = PixelBudget(factor * factor, units * factor * factor, factor)
    if max(width, height) > 50 * min(width, height):
        return
    w, h = fitted_size(width, height, budget)
    assert w % factor == h % factor == 0 and w > 0 and h > 0
    # One row or column of units is the least there is, however long the picture.
    assert w * h <= budget.max_pixels or min(w, h) == factor


def test_an_image_longer_than_two_hundred_to_one_is_refused():
    with pytest.raises(MediaError, match="200 to 1"):
        fitted_size(10, 2001, PixelBudget(1, 10**6))


def test_a_budget_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="min_pixels <= max_pixels"):
        PixelBudget(100, 50)


def test_a_view_at_its_own_size_is_the_sources_pixels():
    view = View(PixelSource(200, 100), ViewKind.CROP, Box(0.25, 0.5, 0.75, 1.0))
    image = show(view, EXACT)
    assert image.shape == (50, 100, 3) and image.dtype == np.uint8
    assert image[0, 0].tolist() == [50, 50, 0] and image[-1, -1].tolist() == [149, 99, 0]


def test_a_view_through_another_cuts_what_was_shown():
    coarse = view_budgets((1, 64 * 64), (1, 10**8), (1, 10**8), (1, 10**8), factor=1)
    whole = View(PixelSource(640, 640), ViewKind.ORIGINAL)
    box = Box(0.0, 0.0, 0.5, 0.5)
    through = View(whole.source, ViewKind.CROP, box, via=whole)
    native = View(whole.source, ViewKind.CROP, box)
    assert shown_size(native, coarse) == (320, 320)
    assert shown_size(through, coarse) == (32, 32)
    assert np.array_equal(show(through, coarse), show(whole, coarse)[:32, :32])


# ---------------------------------------------------------------------------------------------------- files


def saved(tmp_path, image, name="picture.png", **options):
    image.save(tmp_path / name, **options)
    return FileSource(tmp_path / name)


def test_a_file_is_turned_upright_and_its_transparency_lies_on_white(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    assert saved(tmp_path, Image.new("RGB", (20, 10)), "turned.jpg", exif=exif).decode().size == (10, 20)
    clear = saved(tmp_path, Image.new("RGBA", (2, 2), (0, 0, 0, 0))).decode()
    assert clear.mode == "RGB" and clear.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(mode):
    assert decoded(Image.new(mode, (3, 3))).mode == "RGB"


def test_sixteen_bits_a_channel_become_eight():
    deep = Image.fromarray(np.full((2, 2), 0x8000, dtype=np.uint16))
    assert decoded(deep).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("content", [b"", b"not a picture", None])
def test_a_broken_file_is_named(tmp_path, content):
    if content is None:
        whole = io.BytesIO()
        Image.effect_noise((64, 64), 50).save(whole, format="PNG")
        content = whole.getvalue()[:200]
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(MediaError, match=r"bad\.png"):
        FileSource(tmp_path / "bad.png").decode()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MediaError, match=r"gone\.png"):
        _ = FileSource(tmp_path / "gone.png").key


def test_copies_of_a_file_have_one_key_and_sources_can_be_pickled(tmp_path):
    first = saved(tmp_path, Image.new("RGB", (4, 4), "red"))
    second = saved(tmp_path, Image.new("RGB", (4, 4), "red"), "copy.png")
    assert first.key == second.key == pickle.loads(pickle.dumps(first)).key
    assert ImageSource(Image.new("RGB", (4, 4))).key != ImageSource(Image.new("RGB", (2, 8))).key


# ---------------------------------------------------------------------------------------------------- cache


class Counted:
    """A source that counts how often it was decoded."""

    def __init__(self, key):
        self.key, self.decoded = key, 0

    def decode(self):
        self.decoded += 1
        return Image.new("RGB", (10, 10))


def test_a_source_is_decoded_once_while_it_fits_and_the_oldest_is_dropped():
    cache = DecodeCache(max_bytes=800)
    first, second, third = (Counted(name) for name in "abc")
    for source in (first, second, first, third, first):
        cache.get(source)
    assert (first.decoded, second.decoded, third.decoded) == (1, 1, 1)
    cache.get(second)
    assert second.decoded == 2


def test_the_size_of_an_image_is_remembered_when_its_pixels_are_not():
    cache = DecodeCache(max_bytes=1)
    first, second = Counted("a"), Counted("b")
    assert {cache.size_of(source) for source in (first, second, first, first)} == {(10, 10)}
    assert first.decoded == 1


def test_an_image_larger_than_the_cache_is_still_given():
    cache = DecodeCache(max_bytes=10)
    assert cache.get(Counted("a")).size == (10, 10)


def test_the_native_size_is_in_the_sources_own_pixels():
    assert native_size(View(PixelSource(200, 100), ViewKind.CROP, Box(0, 0, 0.5, 1))) == (100, 100)


def test_threads_that_want_the_same_image_decode_it_once_and_few_images_are_decoded_at_a_time():
    decoding, most, times = [], [], Counter()
    two_at_a_time = threading.Barrier(2)

    @dataclass(frozen=True)
    class Slow:
        key: str

        def decode(self):
            times[self.key] += 1
            decoding.append(self.key)
            most.append(len(decoding))
            two_at_a_time.wait(timeout=300)
            time.sleep(0.02)  # enough for one too many to begin
            decoding.remove(self.key)
            return Image.new("RGB", (4, 4))

    cache = DecodeCache(max_bytes=10**6, decoders=2)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(cache.get, [Slow(str(number % 4)) for number in range(24)]))
    assert times == dict.fromkeys("0123", 1) and max(most) == 2


def test_an_image_that_could_not_be_decoded_is_tried_again():
    failures = [MediaError("not there yet")]

    @dataclass(frozen=True)
    class Late:
        key: str = "late"

        def decode(self):
            if failures:
                raise failures.pop()
            return Image.new("RGB", (4, 4))

    cache = DecodeCache(max_bytes=10**6)
    with pytest.raises(MediaError, match="not there yet"):
        cache.get(Late())
    assert cache.get(Late()).size == (4, 4)

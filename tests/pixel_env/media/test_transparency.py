"""Transparent pixels lie on white, whatever says that they are transparent."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixel_env.media.pictures import decoded, opened
from pixel_env.media.sources import FileSource
from pixel_env.media.transparency import on_white
from tests.examples_of_media import example, needs_examples
from tests.pixel_env.media.pngs import GREY, PALETTE, RGB, chunk, png

WHITE = [255, 255, 255]


def shown(data):
    with opened(io.BytesIO(data)) as picture:
        return np.asarray(decoded(picture))


def test_every_level_at_every_opacity_is_that_of_alpha_compositing():
    level, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    rgba = Image.fromarray(np.dstack([level, level[::-1], 255 - level, alpha]))
    composed = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    assert np.array_equal(on_white(rgba), composed)
    grey = Image.fromarray(np.dstack([level, alpha]), "LA")
    whole = Image.alpha_composite(Image.new("RGBA", grey.size, "white"), grey.convert("RGBA")).convert("RGB")
    assert np.array_equal(on_white(grey), whole)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_level_of_a_grey_png_is_white_and_no_other_level_is(depth):
    levels = [0, 1] * 2 if depth == 1 else [0, 1, 2, 3]
    packed = "".join(format(level, f"0{depth}b") for level in levels)
    row = int(packed.ljust(-(-len(packed) // 8) * 8, "0"), 2).to_bytes(-(-len(packed) // 8), "big")
    opaque = shown(png(4, [row], depth, GREY))[0].tolist()
    for key in range(2 if depth == 1 else 4):
        keyed = shown(png(4, [row], depth, GREY, chunk(b"tRNS", struct.pack(">H", key))))[0].tolist()
        assert keyed == [WHITE if level == key else pixel for level, pixel in zip(levels, opaque, strict=True)]


def test_of_sixteen_bits_all_bits_decide():
    levels = [0x1234, 0x1200, 0x12FF, 0xFFFF]
    key = chunk(b"tRNS", struct.pack(">H", levels[0]))
    grey = shown(png(4, [struct.pack(">4H", *levels)], 16, GREY, key))[0]
    assert grey.tolist() == [WHITE, [18] * 3, [18] * 3, WHITE]
    colours = [(0x1234, 0x5678, 0x9ABC), (0x1235, 0x5678, 0x9ABC), (0x1234, 0x5678, 0x9A00)]
    row = struct.pack(">9H", *sum(colours, ()))
    rgb = shown(png(3, [row], 16, RGB, chunk(b"tRNS", struct.pack(">3H", *colours[0]))))[0]
    assert rgb.tolist() == [WHITE, [0x12, 0x56, 0x9A], [0x12, 0x56, 0x9A]]


def test_the_transparent_colour_of_rgb_and_of_a_palette_is_white():
    key = chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))
    assert shown(png(2, [bytes([1, 2, 3, 1, 2, 4])], 8, RGB, key))[0].tolist() == [WHITE, [1, 2, 4]]
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    half = shown(png(3, [bytes([0, 1, 2])], 8, PALETTE, palette, chunk(b"tRNS", b"\0\x80")))[0]
    assert half.tolist() == [WHITE, [147, 152, 157], [70, 80, 90]]


def test_what_a_user_holds_keeps_its_pixels():
    clear = Image.new("RGBA", (2, 2), (10, 20, 30, 0))
    assert decoded(clear).getpixel((0, 0)) == (255, 255, 255) and clear.getpixel((0, 0)) == (10, 20, 30, 0)
    kept = Image.new("RGB", (2, 2), (10, 20, 30))
    assert decoded(kept) is kept


@needs_examples
def test_a_transparent_colour_as_people_record_it_is_white():
    pixels = np.asarray(FileSource(example("media/rgb_trns.png")).decode())
    assert not (pixels == (0, 255, 52)).all(axis=2).any() and (pixels == 255).all(axis=2).any()

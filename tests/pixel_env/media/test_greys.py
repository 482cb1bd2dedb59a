"""Greys of more than eight bits are scaled by a stated range, else by their own; nothing is clipped."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.pictures import decoded, opened
from pixel_env.media.sources import FileSource, ImageSource
from tests.examples_of_media import example, needs_examples

RAMP = np.linspace(0, 1, 256 * 4).reshape(4, 256)


def shown(data):
    with opened(io.BytesIO(data)) as picture:
        rgb = np.asarray(decoded(picture))
    assert (rgb == rgb[..., :1]).all()
    return rgb[..., 0]


def tiff(values, bits, sample_format, photometric=1, order="<"):
    """An uncompressed TIFF of one channel."""
    height, width = values.shape
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    entries = [
        *((256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8)),
        *((277, 3, 1), (278, 4, height), (279, 4, len(data)), (339, 3, sample_format)),
    ]
    directory = struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        content = struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)
        directory += struct.pack(f"{order}HHI", tag, kind, 1) + content
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", 8 + len(data)) + data + directory + b"\0" * 4


@pytest.mark.parametrize(
    ("values", "bits", "sample_format"),
    [
        (RAMP.astype(np.float32), 32, 3),
        ((RAMP * 1e-30).astype(np.float32), 32, 3),
        (((RAMP - 0.5) * 6e38).astype(np.float32), 32, 3),
        ((RAMP * 3e9).astype(np.uint32), 32, 1),
        (((RAMP - 0.5) * 4e9).astype(np.int32), 32, 2),
        (((RAMP - 0.5) * 65534).astype(np.int16), 16, 2),
    ],
    ids=["float", "tiny", "whole range", "unsigned 32", "signed 32", "signed 16"],
)
def test_a_tiff_that_states_no_range_is_scaled_by_its_own(values, bits, sample_format):
    levels = shown(tiff(values, bits, sample_format))
    if values.dtype != np.uint32:  # which Pillow does not read in this order
        assert np.array_equal(levels, shown(tiff(values, bits, sample_format, order=">")))
    assert np.abs(levels - RAMP * 255).max() <= 1.01 and (levels.min(), levels.max()) == (0, 255)


def test_sixteen_bits_are_scaled_by_their_range_and_not_by_the_picture():
    dark = (RAMP * 0x4000).astype(np.uint16)
    for data in (tiff(dark, 16, 1), tiff(dark, 16, 1, order=">")):
        assert np.array_equal(shown(data), dark >> 8)
    png = io.BytesIO()
    Image.fromarray(dark).save(png, "PNG")
    assert np.array_equal(shown(png.getvalue()), dark >> 8)
    pgm = b"P5 256 4 65535\n" + dark.astype(">u2").tobytes()
    assert np.array_equal(shown(pgm), dark >> 8)


def test_a_pgm_is_scaled_by_the_greatest_value_that_it_states():
    values = np.round(RAMP * 4095).astype(np.uint16)
    assert np.abs(shown(b"P5 256 4 4095\n" + values.astype(">u2").tobytes()) - RAMP * 255).max() <= 1.01


def test_white_is_zero_where_a_tiff_says_so():
    values = (RAMP * 65535).astype(np.uint16)
    assert np.array_equal(shown(tiff(values, 16, 1, photometric=0)), 255 - (values >> 8))


def test_values_that_are_no_numbers_are_black_and_infinite_ones_black_or_white():
    values = RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    levels = shown(tiff(values, 32, 3))
    assert levels[0, :3].tolist() == [0, 255, 0] and np.abs(levels[1:] - RAMP[1:] * 255).max() <= 1.5


def test_a_picture_of_one_value_is_mid_grey_and_one_without_a_number_is_refused(tmp_path):
    assert (shown(tiff(np.full((3, 3), 7.5, np.float32), 32, 3)) == 128).all()
    (tmp_path / "none.tif").write_bytes(tiff(np.full((3, 3), np.nan, np.float32), 32, 3))
    with pytest.raises(MediaError, match=r"none\.tif: none of its values is a finite number"):
        FileSource(tmp_path / "none.tif").decode()


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(width=32)))
def test_greater_values_are_never_darker(values):
    image = Image.fromarray(values)
    if not np.isfinite(values).any():
        with pytest.raises(MediaError, match="finite"):
            ImageSource(image).decode()
        return
    levels = np.asarray(ImageSource(image).decode())[..., 0].ravel()
    order = np.argsort(values.ravel(), kind="stable")
    numbers = [levels[index] for index in order if not np.isnan(values.ravel()[index])]
    assert numbers == sorted(numbers)


@needs_examples
@pytest.mark.parametrize("name", ["f01.tif", "hopper_16bit.pgm"])
def test_deep_greys_as_people_record_them_use_the_whole_range(name):
    levels = np.asarray(FileSource(example(f"media/{name}")).decode())[..., 0]
    assert levels.min() < 8 and levels.max() > 247 and len(np.unique(levels)) > 100

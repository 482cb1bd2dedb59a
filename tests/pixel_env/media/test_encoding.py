"""Images as bytes: what is sent or kept is what was shown."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pixel_env.media.encoding import data_uri, encoded, exact_data_uri
from pixel_env.store import save_image


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_png_keeps_every_pixel_whatever_the_compression_and_the_kind_of_image(noise):
    for options in ({}, {"compress_level": 1}, {"optimize": True}):
        for image in (noise, Image.fromarray(noise)):
            data = encoded(image, "png", **options)
            assert data.startswith(b"\x89PNG") and np.array_equal(opened(data), noise)


def test_a_jpeg_has_the_image_s_size_and_the_quality_that_was_given(noise):
    small, large = (encoded(noise, "jpeg", quality=quality) for quality in (40, 95))
    assert opened(small).shape == opened(large).shape == noise.shape and len(small) < len(large)
    assert small.startswith(b"\xff\xd8")


def test_a_data_uri_names_its_kind_and_holds_the_bytes(noise):
    kind, _, content = data_uri(encoded(noise, "jpeg"), "jpeg").partition(",")
    assert kind == "data:image/jpeg;base64" and base64.b64decode(content) == encoded(noise, "jpeg")
    kind, _, content = exact_data_uri(noise).partition(",")
    assert kind == "data:image/png;base64" and np.array_equal(opened(base64.b64decode(content)), noise)


def test_the_store_keeps_the_image_that_was_shown(noise, tmp_path):
    name = save_image(noise, tmp_path)
    assert np.array_equal(opened((tmp_path / name).read_bytes()), noise)
    assert [path.name for path in tmp_path.iterdir()] == [name]

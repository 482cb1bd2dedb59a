"""Films lie as players lay them: quarter turns and mirrors of the display matrix."""

import numpy as np
import pytest
from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.videos.clips import Clip
from pixel_env.media.videos.decoders import DECODERS
from pixel_env.tasks.files.clips import clip_frames
from tests.examples_of_media import example, needs_examples
from tests.pixel_env.media.kinds_of_film import HEIGHT, WIDTH, decoded_forward, film_of
from tests.pixel_env.media.test_kinds_of_film import INSTALLED

av = pytest.importorskip("av")

ONE = 1 << 16
EIGHT = [
    (1, 0, 0, 1),
    (0, 1, -1, 0),
    (-1, 0, 0, -1),
    (0, -1, 1, 0),
    (-1, 0, 0, 1),
    (0, 1, 1, 0),
    (1, 0, 0, -1),
    (0, -1, -1, 0),
]


def matrix_of(a, b, c, d):
    return (round(a * ONE), round(b * ONE), 0, round(c * ONE), round(d * ONE), 0, 0, 0, 1 << 30)


def laid(pixels, a, b, c, d):
    """Pixel (x, y) at (a x + c y, b x + d y), moved to where the smallest coordinates are 0."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    columns, rows = a * x + c * y, b * x + d * y
    shown = np.zeros((np.ptp(rows) + 1, np.ptp(columns) + 1, 3), np.uint8)
    shown[rows - rows.min(), columns - columns.min()] = pixels
    return shown


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("turn", EIGHT)
@pytest.mark.parametrize("name", INSTALLED)
def test_every_decoder_lays_each_pixel_where_the_matrix_says_or_says_that_it_cannot(tmp_path, name, turn, suffix):
    path = film_of(tmp_path / f"a.{suffix}", "h264", frames=3, matrix=matrix_of(*turn))
    if DECODERS[name].limit(path):
        assert name != "av"
        return
    video = DECODERS[name].opens(path)
    assert np.array_equal(np.asarray(video.frame(1)), laid(decoded_forward(path)[1], *turn))
    video.close()


def test_a_mirrored_film_is_left_to_pyav(tmp_path):
    path = film_of(tmp_path / "a.mp4", "h264", frames=3, matrix=matrix_of(-1, 0, 0, 1))
    assert {name: DECODERS[name].limit(path) for name in DECODERS} == {
        "av": "", "torchcodec": "its frames are mirrored", "decord": "its frames are mirrored"
    }  # fmt: skip


def test_a_matrix_within_a_degree_of_a_quarter_turn_is_one_and_any_other_is_refused_by_name(tmp_path):
    cos, sin = np.cos(np.radians(89.5)), np.sin(np.radians(89.5))
    path = film_of(tmp_path / "a.mp4", "h264", frames=3, matrix=matrix_of(cos, sin, -sin, cos))
    assert clip_frames(path)[0].decode().size == (HEIGHT, WIDTH)
    for number, turn in enumerate([(0.8, 0.6, -0.6, 0.8), (1, 0, 0.5, 1)]):
        path = film_of(tmp_path / f"b{number}.mp4", "h264", frames=3, matrix=matrix_of(*turn))
        with pytest.raises(MediaError, match=r"b\d\.mp4.*only quarter turns and mirrored frames can be shown"):
            clip_frames(path)[0].decode()


def test_a_matrix_of_zeros_says_nothing(tmp_path):
    path = film_of(tmp_path / "a.mkv", "h264", frames=3, matrix=matrix_of(0, 0, 0, 0))
    assert clip_frames(path)[0].decode().size == (WIDTH, HEIGHT)


@needs_examples
@pytest.mark.parametrize(("name", "turn"), [("90", (0, 1, -1, 0)), ("180", (-1, 0, 0, -1)), ("270", (0, -1, 1, 0))])
@pytest.mark.parametrize("decoder", INSTALLED)
def test_films_of_a_telephone_are_upright_in_every_decoder(name, turn, decoder):
    path = example(f"media/video_{name}.mov")
    shown = Clip(path, 3, None, None, DECODERS[decoder].opens).frame(0)
    assert np.array_equal(np.asarray(shown), laid(decoded_forward(path)[0], *turn))
    assert shown.size == ((568, 320) if name == "180" else (320, 568))


def test_pictures_on_a_transparent_ground_lie_on_white(tmp_path):
    kinds = {
        "a.webm": ("libvpx-vp9", "yuva420p"),
        "b.mov": ("prores_ks", "yuva444p10le"),
        "c.mov": ("png", "rgba"),
        "d.mov": ("qtrle", "argb"),
    }
    for name, (codec, pixels) in kinds.items():
        rgba = np.zeros((48, 64, 4), np.uint8)
        rgba[:, 32:] = (200, 0, 0, 255)
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            for _ in range(20):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, format="rgba")))
            container.mux(stream.encode())
        for frame in (clip_frames(tmp_path / name)[9], clip_frames(tmp_path / name)[2]):  # the second after a seek
            shown = frame.decode()
            assert isinstance(shown, Image.Image) and shown.getpixel((5, 5)) == (255, 255, 255), name
            assert np.abs(np.subtract(shown.getpixel((60, 5)), (200, 0, 0))).max() <= 3, name

"""Tasks made of what users hold: paths, PIL images, arrays, sources."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixel_env.env import PixelEnv
from pixel_env.errors import MediaError, TaskError
from pixel_env.media import FileSource, ImageSource
from pixel_env.task import Task
from pixel_env.testing import PixelSource

PIXELS = np.arange(60 * 40 * 3, dtype=np.uint8).reshape(40, 60, 3)


def task(*sources, **fields):
    return Task("mine", "Which?", ("7",), sources, **fields)


def decoded(given):
    return np.asarray(task(given).sources[0].decode())


def test_what_users_hold_becomes_sources_with_the_same_pixels(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    own = PixelSource()
    mine = task(tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(PIXELS), PIXELS, own)
    assert [type(source) for source in mine.sources] == [FileSource, FileSource, ImageSource, ImageSource, PixelSource]
    assert mine.sources[4] is own
    assert all(np.array_equal(source.decode(), PIXELS) for source in mine.sources[:4])
    assert mine.sources[2].key == mine.sources[3].key


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (PIXELS, (40, 60, 3)),
        (PIXELS[:, :, 0], (40, 60, 3)),
        (PIXELS[:, :, :1], (40, 60, 3)),
        (np.dstack([PIXELS, np.full((40, 60), 255, np.uint8)]), (40, 60, 3)),
        (PIXELS[::-1, ::-1], (40, 60, 3)),
        (np.zeros((3, 3, 3), np.uint8), (3, 3, 3)),
        (np.zeros((1, 1), np.uint8), (1, 1, 3)),
    ],
)
def test_arrays_of_every_usual_shape_are_images(array, shape):
    assert decoded(array).shape == shape
    assert np.array_equal(decoded(array)[..., 0], array if array.ndim == 2 else array[..., 0])


def test_an_array_is_copied_and_transparency_lies_on_white():
    buffer = PIXELS.copy()
    mine = task(buffer)
    buffer[:] = 0
    assert np.array_equal(mine.sources[0].decode(), PIXELS)
    assert (decoded(np.zeros((4, 4, 4), np.uint8)) == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_pil_images_of_every_mode_are_shown_as_rgb(mode):
    env = PixelEnv([task(Image.new(mode, (56, 56)))])
    observation, _ = env.reset(seed=0)
    assert observation["images"][0].shape[2] == 3


def test_a_photograph_is_upright_whether_it_is_given_as_a_path_or_as_an_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        by_path, as_image = task(tmp_path / "turned.png", opened).sources
        assert by_path.decode().size == as_image.decode().size == (40, 60)
        assert np.array_equal(by_path.decode(), as_image.decode())


def test_of_a_moving_picture_that_is_given_as_a_path_the_first_frame_is_shown_and_that_is_told(tmp_path):
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"sources\[0\] is '.*a\.png', which has several frames or pages; the first"):
        mine = task(tmp_path / "a.png")
    assert np.array_equal(mine.sources[0].decode(), PIXELS)


def test_an_image_whose_file_is_closed_says_how_to_load_it(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as opened:
        mine = task(opened)
    with pytest.raises(MediaError, match=r"cannot decode the PIL image that was given: .*needs image.load\(\)"):
        PixelEnv([mine]).reset(seed=0)


def test_a_task_of_images_is_played_copied_and_sent_to_other_processes():
    mine = task(PIXELS, options=("7", "8"), grader="choice")
    again = pickle.loads(pickle.dumps(replace(mine, question="What?")))
    assert again.sources[0].key == mine.sources[0].key and again.sources[0].decode().size == (60, 40)
    env = PixelEnv([again])
    observation, info = env.reset(seed=0)
    assert len(observation["images"]) == 1
    assert env.step(r"\boxed{A}")[1] == 1.0


def test_a_list_is_kept_as_a_tuple_and_no_image_is_no_source():
    assert Task("mine", "?", ("7",), [PIXELS]).sources[0].decode().size == (60, 40)
    assert Task("mine", "?", ("7",), (), "text").sources == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.png", r"sources\[0\] is 'nowhere.png', and there is no such file. Give the path"),
        ("https://example.org/a.png", r"no such file. Download it first"),
        ("data:image/png;base64," + "A" * 1_000_000, r"no such file"),
        ("a\x00.png", r"no such file"),
        ("", r"no such file"),
        (b"\x89PNG", r"is a bytes; wanted: a path, a PIL image"),
        (None, r"is a NoneType; wanted"),
        (7, r"is a int; wanted"),
        ({"bytes": b""}, r"is a dict; wanted"),
        (np.zeros((4, 4, 3)), r"type float64; wanted: uint8, 0 to 255. Scale"),
        (np.zeros((4, 4), bool), r"type bool; wanted: uint8"),
        (np.zeros((3, 40, 60), np.uint8), r"Move the channels last"),
        (np.zeros((8, 40, 60, 3), np.uint8), r"sources=list\(array\)"),
        (np.zeros((0, 60, 3), np.uint8), r"wanted: \(height, width, 3\)"),
        (np.zeros((4, 4, 2), np.uint8), r"wanted: \(height, width, 3\)"),
        (np.zeros(4, np.uint8), r"wanted: \(height, width, 3\)"),
        (Image.new("RGB", (0, 5)), r"of 0x5, without a pixel"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line_when_the_task_is_made(given, message):
    with pytest.raises(TaskError, match=rf"^the task 'mine': .*{message}") as raised:
        task(given)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300


def test_a_file_that_is_no_image_is_refused_and_a_video_names_the_way_out(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(TaskError, match=r"no image that can be read\. Of a video, give the frames: clip_frames"):
        task(tmp_path / "film.mp4")
    with pytest.raises(TaskError, match="no such file"):
        task(tmp_path / "folder.png")


@pytest.mark.parametrize("given", ["a.png", PIXELS, Image.new("RGB", (4, 4)), {"a": 1}, FileSource])
def test_one_image_that_is_not_in_a_list_is_refused_with_the_way_out(given):
    with pytest.raises(TaskError, match=r"Put one image in a list: sources=\[image\]"):
        Task("mine", "?", ("7",), given)


def test_making_a_task_reads_no_source():
    class Unread:
        @property
        def key(self):
            raise AssertionError("read")

        def decode(self):
            raise AssertionError("read")

    assert len(task(Unread(), evidence=()).sources) == 1

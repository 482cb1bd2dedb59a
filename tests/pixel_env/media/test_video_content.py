"""A key of a frame means the same pixels for ever, also when another film lies where the first one was."""

import os
from dataclasses import replace

import pytest

from pixel_env import PixelEnv
from pixel_env.actions import write
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import MediaError
from pixel_env.media.videos.content import BLOCK_BYTES, BLOCKS, content_of
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.task import Task
from pixel_env.tasks.files.clips import clip_fault, clip_frames
from tests.examples_of_media import example, needs_examples
from tests.pixel_env.media.films import film, number_shown
from tests.pixel_env.operations.films import film_task


@pytest.mark.parametrize("size", [10, BLOCK_BYTES * 3, BLOCKS * BLOCK_BYTES, 5 * 2**20])
@pytest.mark.parametrize("at", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_two_files_of_one_size_that_differ_in_a_stretch_have_different_contents(tmp_path, size, at):
    content = bytearray(size)
    (tmp_path / "a").write_bytes(content)
    stretch = max(1, size // BLOCKS)
    begin = min(int(at * size), size - stretch)
    content[begin : begin + stretch] = b"\1" * stretch
    (tmp_path / "b").write_bytes(content)
    assert content_of(tmp_path / "a") != content_of(tmp_path / "b")
    (tmp_path / "c").write_bytes(content)
    assert content_of(tmp_path / "b") == content_of(tmp_path / "c")


def test_a_content_reads_no_more_than_two_mebibytes(tmp_path, monkeypatch):
    path, read = tmp_path / "a", []
    path.write_bytes(bytes(8 * 2**20))

    class Counting:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def seek(self, place):
            self.file.seek(place)

        def read(self, size=-1):
            content = self.file.read(size)
            read.append(len(content))
            return content

    opener = type(path).open
    monkeypatch.setattr(type(path), "open", lambda self, mode: Counting(opener(self, mode)))
    content_of(path)
    assert sum(read) == 2 * 2**20


def test_a_frame_of_a_film_that_was_overwritten_is_an_error_that_names_it_and_no_frame_of_the_other_film(tmp_path):
    task = film_task(tmp_path)
    frames = task.sources
    assert number_shown(frames[0].decode()) == 0 and frames[3].key
    facts = os.stat(tmp_path / "film.mp4")
    film(tmp_path / "film.mp4", frames=100)
    os.utime(tmp_path / "film.mp4", ns=(facts.st_atime_ns, facts.st_mtime_ns))  # as a copy that keeps times leaves it
    for read in (frames[3].decode, frames[0].length, frames[0].own_number, lambda: frames[0].at(3)):
        with pytest.raises(MediaError, match=r"film\.mp4 has changed since it was first read"):
            read()
    anew = clip_frames(tmp_path / "film.mp4")[3]
    assert anew.key != frames[3].key and number_shown(anew.decode()) == 19


def test_in_an_episode_a_film_that_was_overwritten_is_an_unreadable_source(tmp_path):
    sources = clip_frames(film(tmp_path / "film.mp4"))
    task = Task("film", "Which bars?", ("none",), sources, media="video")
    dialect = dialect_named("default")
    dialect = replace(dialect, operations=(*dialect.operations, SelectSegment.name))
    env = PixelEnv([task], dialect=dialect)
    env.reset(seed=0)
    film(tmp_path / "film.mp4", frames=100)
    _, _, _, _, info = env.step(write(SelectSegment(2.05, 3.1, 10.0), dialect))
    assert info["failure"].code == "unreadable_source"


def test_a_film_that_is_too_large_or_too_long_is_refused_before_its_frames_are_converted(tmp_path, monkeypatch):
    path = film(tmp_path / "film.mp4", frames=4)
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 4000)
    with pytest.raises(MediaError, match=r"film\.mp4.* have 8192 pixels, more than the limit of 8000"):
        clip_frames(path)[0].decode()


@needs_examples
def test_a_film_that_is_longer_than_200_to_1_is_refused_in_the_words_for_pictures():
    frames = clip_frames(example("media/long.mp4"))
    with pytest.raises(MediaError, match="4096x16 is longer than 200 to 1"):
        frames[0].decode()
    assert clip_fault(frames) == "4096x16 is longer than 200 to 1"  # what data check and prepare say


@needs_examples
def test_a_title_that_is_not_utf_8_refuses_no_film():
    assert clip_frames(example("media/latin1.mp4"))[0].decode().size == (320, 240)

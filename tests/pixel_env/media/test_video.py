"""Frames of video files: the frame that was asked for and no neighbour, once, whatever decoder is installed."""

import importlib.util
import multiprocessing
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pixel_env import PixelEnv
from pixel_env.actions import write
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import MediaError, MissingExtraError, UnknownNameError
from pixel_env.frame_times import FrameTimes
from pixel_env.media.videos import clips as clips_of_videos
from pixel_env.media.videos import decoders
from pixel_env.media.videos.av_video import PyAvVideo
from pixel_env.media.videos.clips import Clip, OpenClips, video_fault
from pixel_env.media.videos.decoders import DECODERS, decoder_named, installed_decoders
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from pixel_env.tasks.files.clips import clip_frames
from tests.pixel_env.media.films import film, number_shown

INSTALLED = [name for name in DECODERS if importlib.util.find_spec(name) is not None]


class Stub:
    """A video of ten seconds whose frames are their number's gray."""

    def __init__(self, path, frame_count=100):
        self.times, self.asked, self.is_open = FrameTimes(frame_count, 10.0), [], True

    def frame(self, number):
        self.asked.append(number)
        return Image.new("RGB", (4, 4), (number, number, number))

    def close(self):
        self.is_open = False


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("group", [1, 3, 12])
@pytest.mark.parametrize(("suffix", "b_frames"), [(".mp4", 2), (".mov", 0), (".mkv", 2), (".avi", 0)])
def test_every_decoder_gives_the_frame_that_was_requested_in_any_order(tmp_path, name, suffix, b_frames, group):
    path = film(tmp_path / f"film{suffix}", group=group, b_frames=b_frames)
    if limit := decoder_named(name).limit(path):
        with pytest.raises(ValueError, match=re.escape(limit)):
            decoder_named(name).opens(path)
        return
    opened = decoder_named(name).opens(path)
    assert (opened.times.count, opened.times.rate) == (120, pytest.approx(10.0))
    numbers = [0, 1, 2, 11, 12, 13, 13, 60, 59, 119, 118, 0, 100]
    assert [number_shown(opened.frame(number)) for number in numbers] == numbers
    opened.close()


@pytest.mark.skipif(len(INSTALLED) < 2, reason="needs two decoders of the extra 'video'")
def test_the_decoders_agree_on_every_pixel(tmp_path):
    path = film(tmp_path / "film.mp4")
    first, *others = (Clip(path, 16, None, None, decoder_named(name).opens) for name in INSTALLED)
    for number in range(16):
        pixels = np.asarray(first.frame(number))
        assert all((np.asarray(other.frame(number)) == pixels).all() for other in others)


def test_torchcodec_decodes_exact_frames_in_the_order_of_an_image(monkeypatch, tmp_path):
    path = film(tmp_path / "a.mp4", frames=7)

    class VideoDecoder:
        def __init__(self, source, *, dimension_order, seek_mode):
            assert (source, dimension_order, seek_mode) == (str(path), "NHWC", "exact")
            self.metadata = SimpleNamespace(average_fps=25.0)

        def __len__(self):
            return 7

        def get_frame_at(self, index):
            pixels = np.full((3, 5, 3), index, np.uint8)  # height, width, channels
            return SimpleNamespace(data=SimpleNamespace(numpy=lambda: pixels))

    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", SimpleNamespace(VideoDecoder=VideoDecoder))
    opened = decoder_named("torchcodec").opens(path)
    assert (opened.times.count, opened.times.rate) == (7, 25.0)
    assert opened.frame(4).size == (5, 3) and opened.frame(4).getpixel((0, 0)) == (4, 4, 4)
    opened.close()


@pytest.mark.parametrize(("group", "seeks"), [(250, 0), (12, 9), (3, 15)])
def test_frames_in_order_are_decoded_forward_and_a_seek_only_passes_over_a_key_frame(
    tmp_path, monkeypatch, group, seeks
):
    av = pytest.importorskip("av")
    path, counted = film(tmp_path / "film.mp4", group=group), []

    class Counting:
        def __init__(self, container):
            self.container = container

        def __getattr__(self, name):
            return getattr(self.container, name)

        def seek(self, *place, **options):
            counted.append(place)
            self.container.seek(*place, **options)

    opener = av.open
    monkeypatch.setattr(av, "open", lambda path, **options: Counting(opener(path, **options)))
    clip = Clip(path, 16, None, None, PyAvVideo)
    assert [number_shown(clip.frame(number)) for number in range(16)] == [n * 119 // 15 for n in range(16)]
    assert len(counted) == seeks


def test_a_clip_opens_its_file_once_and_closes_it_after_its_last_frame(tmp_path):
    opened = []
    clip = Clip(tmp_path, 4, None, None, lambda path: opened.append(Stub(path)) or opened[-1])
    held = [clip.frame(number) for number in range(4)]
    assert len(opened) == 1 and opened[0].asked == [0, 33, 66, 99] and not opened[0].is_open
    assert clip.frame(2) is held[2] and len(opened) == 1
    del held
    assert clip.frame(1).getpixel((0, 0)) == (33, 33, 33) and len(opened) == 2


def test_threads_that_show_the_same_clip_decode_each_frame_once(tmp_path):
    stub, start = Stub(tmp_path), threading.Barrier(8)
    clip = Clip(tmp_path, 16, None, None, lambda path: stub)

    def opening():
        start.wait()
        return [clip.frame(number) for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        shown = [future.result() for future in [pool.submit(opening) for _ in range(8)]]
    assert len(stub.asked) == 16 and len({id(frames[7]) for frames in shown}) == 1


def test_the_clip_that_was_requested_longest_ago_is_closed_and_a_changed_file_is_another_clip(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(clips_of_videos, "open_video", lambda path: opened.append(Stub(path)) or opened[-1])
    for name in "abc":
        (tmp_path / name).write_bytes(b"film")
    clips = OpenClips(max_open=2)
    for name in "abc":
        clips.clip(tmp_path / name, 16, None, None).frame(0)
    assert [stub.is_open for stub in opened] == [False, True, True]
    before = clips.clip(tmp_path / "c", 16, None, None)
    os.utime(tmp_path / "c", ns=(1, 1))
    assert clips.clip(tmp_path / "c", 16, None, None) is not before


def test_a_child_of_a_process_with_an_open_video_starts_and_decodes_it_anew(tmp_path):
    frames = clip_frames(film(tmp_path / "film.mp4"))
    for frame in frames[:5]:
        frame.decode()  # the file stays open for the next frames, with the decoder's threads
    child = multiprocessing.get_context("fork").Process(target=frames[7].decode)
    child.start()
    child.join(timeout=300)
    is_over = not child.is_alive()
    child.kill()
    assert is_over and child.exitcode == 0


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("content", [b"", b"no film at all" * 100], ids=["empty", "text"])
def test_a_broken_video_is_an_error_that_names_the_file(tmp_path, name, content):
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"cannot decode the video .*broken\.mp4"):
        Clip(path, 16, None, None, decoder_named(name).opens).frame(0)


def test_a_truncated_video_is_an_error_that_names_the_file(tmp_path):
    whole = film(tmp_path / "film.mkv").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 300])
    with pytest.raises(MediaError, match=r"cut\.mp4"):
        Clip(tmp_path / "cut.mp4", 16, None, None, PyAvVideo).frame(15)


def test_a_check_of_a_video_says_why_it_cannot_be_used(tmp_path):
    assert video_fault(film(tmp_path / "film.mp4")) == ""
    whole = (tmp_path / "film.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert video_fault(tmp_path / "cut.mp4")


def test_a_video_that_is_not_there_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(MediaError, match=r"gone\.mp4"):
        clip_frames(tmp_path / "gone.mp4")[0].decode()


def test_without_a_decoder_the_extra_that_brings_one_is_named(monkeypatch):
    monkeypatch.setattr(decoders, "DECODERS", {"no_such_package": Stub})
    installed_decoders.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"pip install 'pixel-env\[video\]'"):
            installed_decoders()
    finally:
        installed_decoders.cache_clear()
    with pytest.raises(UnknownNameError, match="no_such_package"):
        decoder_named("av")


def test_a_video_file_is_played_and_a_selected_frame_is_the_one_that_was_requested(tmp_path):
    sources = clip_frames(film(tmp_path / "film.mp4"), 2.0, 8.0)
    task = Task("film", "Which bars?", ("none",), sources, media="video")
    dialect = dialect_named("default")
    env = PixelEnv([task], dialect=dialect)
    observation, _ = env.reset(seed=0)
    assert len(observation["images"]) == 16
    _, _, _, _, info = env.step(write(SelectFrames((3,)), dialect))
    assert info["failure"] is None
    [view] = env.trajectory.turns[0].views
    assert number_shown(view.source.decode()) == 20 + 3 * 60 // 15


def test_many_threads_on_many_films_see_no_wrong_frame_and_few_files_are_open(tmp_path):
    films = [film(tmp_path / f"{number}.mp4", frames=20 + number, group=6) for number in range(8)]
    open_clips, most = OpenClips(max_open=4), []

    def watch(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            number, shown = int(rng.integers(8)), int(rng.integers(16))
            frame = open_clips.clip(films[number], 16, None, None).frame(shown)
            assert number_shown(frame) == shown * (19 + number) // 15
            most.append(len(open_clips._clips))

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(watch, range(12)))
    assert max(most) <= 4


def test_of_a_damaged_film_every_frame_is_that_of_its_number_or_an_error_in_whatever_order(tmp_path):
    path = film(tmp_path / "film.mp4", frames=60, group=10, b_frames=0)
    content = bytearray(path.read_bytes())
    first = content.index(b"mdat")
    middle = first + (content.index(b"moov") - first) // 2
    content[middle : middle + 60] = bytes(60)
    path.write_bytes(content)
    opened, shown = PyAvVideo(path), {}
    for number in (*range(60), 59, 35, 31, 5, 58):
        try:
            pixels = np.asarray(opened.frame(number))
        except (OSError, ValueError):
            continue
        assert np.array_equal(shown.setdefault(number, pixels), pixels)
    assert [number_shown(Image.fromarray(shown[number])) for number in range(20)] == list(range(20))
    assert number_shown(Image.fromarray(shown[59])) == 59

"""Frame i of a film is the i-th that a decoder gives from its start, to the byte, in whatever order they are asked."""

import importlib.util
import io
import random
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixel_env.errors import MediaError
from pixel_env.media.changes import stamp_of
from pixel_env.media.videos.clips import times_of
from pixel_env.media.videos.decoders import DECODERS
from pixel_env.media.videos.frame_index import frame_index
from pixel_env.tasks.files.clips import clip_frames
from tests.pixel_env.media.kinds_of_film import FRAMES, VARYING, av, decoded_forward, film_of

INSTALLED = [name for name in DECODERS if importlib.util.find_spec(name) is not None]
CUT = {"options": {"use_editlist": "1", "avoid_negative_ts": "disabled"}, "late": -11}
KINDS = {
    **{f"h264.{suffix}": {} for suffix in ("mp4", "m4v", "mov", "3gp", "mkv", "avi", "ts", "m2ts", "flv")},
    **{f"h264-open.{suffix}": {} for suffix in ("mp4", "mkv", "ts")},
    **{f"h264-refresh.{suffix}": {} for suffix in ("mp4", "mkv")},
    **{f"h264-fields.{suffix}": {} for suffix in ("mp4", "ts")},
    **{f"hevc.{suffix}": {} for suffix in ("mp4", "mkv", "ts")},
    **{f"mpeg4.{suffix}": {} for suffix in ("mp4", "mkv", "avi", "ts")},
    **{f"mpeg2.{suffix}": {} for suffix in ("mpg", "vob", "ts", "avi", "mkv")},
    **{f"vp8.{suffix}": {} for suffix in ("webm", "mkv", "ogv")},
    **{f"vp9.{suffix}": {} for suffix in ("webm", "mp4")},
    **{f"av1.{suffix}": {} for suffix in ("mp4", "webm")},
    **{name: {} for name in ("mjpeg.mov", "mjpeg.avi", "wmv2.wmv", "flv1.flv", "prores.mov", "qtrle.mov")},
    **{f"h264.{suffix}:varying": {"times_ms": VARYING} for suffix in ("mp4", "mkv", "ts", "flv")},
    **{f"h264.{suffix}:late": {"late": 25} for suffix in ("mp4", "mkv", "ts")},
    **{f"h264-open.{suffix}:without a start": {"cut": 8} for suffix in ("mp4", "mkv", "ts")},
    "hevc.mp4:without a start": {"cut": 8},
    "h264.mp4:edited": CUT,
    "hevc.mov:edited": CUT,
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Each kind of film is made once, and its frames are decoded once."""
    folder, made = tmp_path_factory.mktemp("films"), {}

    def film(kind):
        if kind not in made:
            name = kind.partition(":")[0]
            path = film_of(_path(folder, kind), name.partition(".")[0], **KINDS[kind])
            made[kind] = path, decoded_forward(path)
        return made[kind]

    return film


def _path(folder, kind):
    name, _, how = kind.partition(":")
    (folder / how).mkdir(exist_ok=True)
    return folder / how / name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INSTALLED)
def test_every_decoder_shows_the_frames_of_a_forward_decode_or_says_what_it_cannot_do(films, kind, name):
    path, frames = films(kind)
    decoder = DECODERS[name]
    if limit := decoder.limit(path):
        with pytest.raises(ValueError, match="Install PyAV") as refused:
            decoder.opens(path)
        assert limit in str(refused.value)
        return
    video = decoder.opens(path)
    try:
        assert video.times.count == len(frames)
        order = list(range(len(frames)))
        shuffled = random.Random(0).sample(order, len(order))
        for number in (*order, *shuffled[:15]):
            same = np.array_equal(np.asarray(video.frame(number)), frames[number])
            assert same or (name, kind) in KNOWN_TO_DIFFER, f"frame {number}"
    finally:
        video.close()


KNOWN_TO_DIFFER = {
    ("decord", "h264-fields.mp4"),
    ("torchcodec", "h264-fields.mp4"),
    ("torchcodec", "h264-refresh.mp4"),
}
"""What the header of a file does not tell; the docstrings of the decoders name it."""


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith("varying")])
def test_the_times_of_a_film_of_varying_rate_are_those_that_it_was_written_with(films, kind):
    times = times_of(films(kind)[0])
    assert list(times.begins_s) == pytest.approx([(time - VARYING[0]) / 1000 for time in VARYING], abs=0.0006)


@pytest.mark.parametrize("kind", ["h264.mp4:late", "h264.mkv:late", "h264.ts:late", "mpeg4.avi", "vp9.webm"])
def test_a_constant_rate_counts_from_the_first_frame_wherever_the_file_begins(films, kind):
    times = times_of(films(kind)[0])
    assert times.begins_s is None and times.rate == pytest.approx(10.0) and times.count == FRAMES


@pytest.mark.parametrize(
    ("kind", "is_listed"),
    [
        *((kind, True) for kind in ("h264.mp4", "hevc.mkv", "vp8.webm", "av1.mp4", "h264.mp4:edited")),
        *((kind, False) for kind in ("h264.avi", "mpeg2.mpg", "h264.ts", "mpeg4.mp4")),
        *((kind, False) for kind in ("h264-fields.mp4", "h264-open.mp4:without a start")),
    ],
)
def test_a_file_is_decoded_to_be_counted_only_where_its_packets_may_not_be_its_frames(films, kind, is_listed):
    path, _ = films(kind)
    assert (frame_index(path, stamp_of(path, "the video")).begins is not None) is is_listed


# ----------------------------------------------------------------------------------- what is no film, and unknown data


def test_a_list_of_other_files_and_a_picture_are_no_films(tmp_path):
    film_of(tmp_path / "film.mp4", "h264", frames=4)
    film_of(tmp_path / "film.ts", "h264", frames=4)
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile 'film.mp4'\n")
    (tmp_path / "hls.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm.ts\n#EXT-X-ENDLIST\n")
    Image.new("RGB", (64, 48), "red").save(tmp_path / "picture.png")
    for name in ("concat.mp4", "hls.m3u8", "picture.png"):
        with pytest.raises(MediaError, match=f"{name}.*it is no film that can be read; wanted: one of mov, matroska"):
            clip_frames(tmp_path / name)[0].decode()


@pytest.mark.parametrize("orientation", [None, 1, 6, 8])
@pytest.mark.parametrize("suffix", ["avi", "mkv", "mov"])
def test_a_film_of_jpegs_with_exif_is_shown_turned_as_these_say(tmp_path, suffix, orientation):
    picture = Image.new("RGB", (64, 48), "blue")
    picture.paste("red", (0, 0, 32, 24))
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    if orientation is not None:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    path = tmp_path / f"film.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(3):
            packet = av.Packet(buffer.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 10), stream
            packet.is_keyframe = True
            container.mux(packet)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue())))
    frame = clip_frames(path)[5].decode()
    assert frame.size == wanted.size
    assert np.abs(np.asarray(frame).astype(int) - np.asarray(wanted)).mean() < 8

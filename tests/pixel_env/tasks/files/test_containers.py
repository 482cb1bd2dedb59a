"""Whether a video file is whole, told by the sizes that stand in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixel_env.tasks.files.containers import truncation_fault

KINDS = {".mp4": {}, ".mov": {}, "-fast.mp4": {"movflags": "faststart"}, ".avi": {}, ".mkv": {}, ".webm": {}}
KINDS |= {".m4v": {}, ".3gp": {}, ".wmv": {}}
CODECS = {".webm": "libvpx", ".wmv": "wmv2"}
MUXERS = {".m4v": "mp4"}


@pytest.fixture(params=KINDS)
def video(request, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / f"film{request.param}"
    with av.open(str(path), "w", format=MUXERS.get(path.suffix), options=KINDS[request.param]) as container:
        stream = container.add_stream(CODECS.get(path.suffix, "mpeg4"), rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(30):
            image = Image.effect_noise((64, 48), 50 + number).convert("RGB")
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return path


def test_a_whole_video_is_whole_also_with_something_after_its_end(video):
    assert truncation_fault(video) == ""
    with video.open("ab") as file:
        file.write(b"notes" * 10)
    assert truncation_fault(video) == ""


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.99])
def test_a_truncated_video_is_recognised_without_decoding_it(video, share):
    content = video.read_bytes()
    video.write_bytes(content[: int(share * len(content))])
    assert "truncated" in truncation_fault(video)


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>\n<html>not found", b"version https://git-lfs.github.com/spec/v1\noid sha256:1"]
)
def test_a_page_or_a_pointer_in_place_of_a_video_is_reported(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert truncation_fault(tmp_path / "a.mp4") == "it is a text file, not a video"


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a!!!!!!!!!!!!!!!!!!!",
        b"\x47\x40\x00\x10" * 50,  # a transport stream, whose packets tell no length
        b"\x1aE\xdf\xa3\x80" + b"\x18S\x80g" + b"\x01" + b"\xff" * 7 + bytes(50),  # a live recording
        b"\x00\x00\x00\x10ftypisom\x00\x00\x00\x00" + b"\x00\x00\x00\x08moov" + b"\x00\x00\x00\x00mdat" + bytes(50),
    ],
)
def test_a_file_that_tells_no_length_counts_as_whole(tmp_path, content):
    (tmp_path / "a.video").write_bytes(content)
    assert truncation_fault(tmp_path / "a.video") == ""


def test_a_file_that_cannot_be_read_is_a_reason(tmp_path):
    assert truncation_fault(tmp_path) and truncation_fault(tmp_path / "gone.mp4")


@given(head=st.sampled_from([b"", b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\0\x10ftyp", b"\0\0\0\1moov"]), rest=st.binary())
def test_any_bytes_whatsoever_are_whole_or_a_reason(head, rest, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    path.write_bytes(head + rest)
    assert isinstance(truncation_fault(path), str)

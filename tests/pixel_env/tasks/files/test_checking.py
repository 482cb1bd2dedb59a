"""Pictures checked thoroughly: faults, pictures of one colour, first frames, and how many pixels are held at a time."""

import base64
import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from pixel_env import cli
from pixel_env.media.decoded_pixels import DecodedPixels
from pixel_env.media.sources import FileSource
from pixel_env.tasks.files import checking
from pixel_env.tasks.files.cells import is_image_text
from pixel_env.tasks.files.checking import Checked, checked_embedded, checked_file, findings
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.piece import Piece

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))


def moving(path, count=3):
    NOISE.save(path, save_all=True, append_images=[NOISE.rotate(90 * number) for number in range(1, count)])
    return path


def embedded(path):
    content = path.read_bytes()
    path.with_suffix(".shard").write_bytes(b"before" + content)
    return EmbeddedImage(Piece(path.with_suffix(".shard"), 6, len(content)))


def test_what_is_found_of_a_picture_is_the_same_in_a_file_and_in_a_task_file(tmp_path):
    wanted = {
        "photo.jpg": Checked(""),
        "white.png": Checked("", is_one_colour=True),
        "moving.gif": Checked("", has_more_frames=True),
        "pages.tif": Checked("", has_more_frames=True),
    }
    NOISE.save(tmp_path / "photo.jpg")
    Image.new("RGBA", (30, 30), (9, 9, 9, 0)).save(tmp_path / "white.png")
    moving(tmp_path / "moving.gif"), moving(tmp_path / "pages.tif")
    for name, found in wanted.items():
        assert checked_file(tmp_path / name) == checked_embedded(embedded(tmp_path / name)) == found, name


def test_what_cannot_be_used_is_told_with_the_same_words(tmp_path):
    whole = io.BytesIO()
    NOISE.save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:500])
    (tmp_path / "text.jpg").write_bytes(b"no image")
    Image.new("RGB", (900, 3)).save(tmp_path / "long.png")
    for name in ("cut.png", "text.jpg", "long.png"):
        of_file, within = checked_file(tmp_path / name), checked_embedded(embedded(tmp_path / name))
        assert of_file.fault == within.fault != ""
    assert checked_file(tmp_path / "gone.png").fault


def test_findings_are_counted_and_the_first_are_named():
    one_colour = {f"{number}.png": Checked("", is_one_colour=True) for number in range(5)}
    assert list(findings(one_colour)) == ["5 images show one colour only: 0.png, 1.png, 2.png and 2 more"]
    assert list(findings({"a.gif": Checked("", has_more_frames=True), "b.png": Checked("broken")})) == [
        "1 image shows the first of several frames or pages: a.gif"
    ]
    assert not list(findings({"a.png": Checked("")}))


@pytest.mark.parametrize("form", ["file", "row"])
def test_data_check_and_prepare_name_pictures_of_one_colour_and_first_frames_and_refuse_neither(form, tmp_path, capsys):
    Image.new("RGB", (60, 60), "black").save(tmp_path / "black.png")
    moving(tmp_path / "moving.gif")
    rows = []
    for name in ("black.png", "moving.gif"):
        data = base64.b64encode((tmp_path / name).read_bytes()).decode()
        rows.append({"id": name, "question": "?", "answer": "7", "image": name if form == "file" else data})
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for command in (["check", str(tmp_path / "tasks.jsonl")], ["prepare", "tasks", "--from", str(tmp_path)]):
        assert cli.main(["data", *command]) == 0
        told = capsys.readouterr().out
        assert "note: 1 image shows one colour only: " in told
        assert "note: 1 image shows the first of several frames or pages: " in told
        assert form == "row" or ("only: black.png" in told and "pages: moving.gif" in told)


def test_threads_that_check_pictures_hold_a_bounded_number_of_pixels(tmp_path, monkeypatch):
    """Formats without an end to look for are decoded too: they must not be decoded beside the bound."""
    paths = [tmp_path / f"{number}.{suffix}" for number in range(12) for suffix in ("png", "bmp")]
    for path in paths:
        NOISE.save(path)
    held, most, lock = 0, 0, threading.Lock()
    decode = FileSource.decode

    def counted(source):
        nonlocal held, most
        image = decode(source)
        with lock:
            held += image.width * image.height
            most = max(most, held)
        time.sleep(0.005)
        with lock:
            held -= image.width * image.height
        return image

    monkeypatch.setattr(FileSource, "decode", counted)
    monkeypatch.setattr(checking, "DECODED_PIXELS", DecodedPixels(3 * 90 * 60))
    with ThreadPoolExecutor(20) as pool:
        assert not any(found.fault for found in pool.map(checked_file, paths))
    assert 90 * 60 < most <= 3 * 90 * 60


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_base64_of_every_usual_format_is_an_image(form):
    buffer = io.BytesIO()
    NOISE.save(buffer, form)
    assert is_image_text(base64.b64encode(buffer.getvalue()).decode())

"""A file that is written over while it is in use: its key never stands for other pixels."""

import io
import json
import os
import pickle
import time

import numpy as np
import pytest
from PIL import Image

from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.errors import MediaError
from pixel_env.failures import FailureCode
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import SHOWN
from pixel_env.media.sources import FileSource
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from pixel_env.tasks import load_tasks
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.piece import Piece


def content(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(buffer, "BMP")
    return buffer.getvalue()


def file_source(path):
    path.write_bytes(content("red"))
    return FileSource(path)


def embedded_source(path):
    path.write_bytes(b"before" + content("red") + b"after")
    return EmbeddedImage(Piece(path, 6, len(content("red"))))


def overwrite(path, colour, later_ns=10**9):
    """Of the same size, as a new version of a picture without compression is, and with a time of change as told."""
    old, facts = path.read_bytes(), path.stat()
    path.write_bytes(old.replace(content("red"), content(colour)))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + later_ns))


@pytest.mark.parametrize("source_of", [file_source, embedded_source])
def test_a_source_whose_file_has_changed_shows_no_other_picture_under_its_key(tmp_path, source_of):
    source = source_of(tmp_path / "picture.bin")
    key = source.key
    assert source.decode().getpixel((0, 0)) == (255, 0, 0)
    overwrite(tmp_path / "picture.bin", "blue")
    for used in (source, pickle.loads(pickle.dumps(source))):
        assert used.key == key
        with pytest.raises(MediaError, match=r"picture\.bin has changed since it was first read; leave the files"):
            used.decode()
        with pytest.raises(MediaError, match="has changed"):
            used.decode_as_stored()
    anew = type(source)(source.path if isinstance(source, FileSource) else source.place)
    assert anew == source and hash(anew) == hash(source)
    assert anew.decode().getpixel((0, 0)) == (0, 0, 255) and anew.key != key


@pytest.mark.parametrize("source_of", [file_source, embedded_source])
def test_a_file_that_was_touched_or_written_with_the_same_content_is_used_on(tmp_path, source_of):
    source = source_of(tmp_path / "picture.bin")
    before = source.key
    overwrite(tmp_path / "picture.bin", "red")
    assert source.decode().getpixel((0, 0)) == (255, 0, 0) and source.key == before


def test_a_file_that_became_none_or_no_image_is_told_as_changed_or_gone(tmp_path):
    source = file_source(tmp_path / "picture.bmp")
    assert source.key
    (tmp_path / "picture.bmp").write_bytes(b"no image")
    with pytest.raises(MediaError, match="has changed"):
        source.decode()
    (tmp_path / "picture.bmp").unlink()
    with pytest.raises(MediaError, match="No such file"):
        source.decode()


def test_a_change_between_reset_and_crop_is_a_failure_and_at_reset_an_error(tmp_path):
    source = file_source(tmp_path / "picture.bmp")
    env = PixelEnv([Task("mine", "Which?", ("7",), (source,))])
    env.reset(seed=0)
    overwrite(tmp_path / "picture.bmp", "blue")
    CACHE.forget()  # as after many other images
    SHOWN.forget()
    call = write(CropImage(image=0, box=Box(0.0, 0.0, 0.5, 0.5)), DIALECTS["default"], [(300, 200)], [(300, 200)])
    _, reward, terminated, truncated, info = env.step(call)
    assert info["failure"] is not None, json.dumps(call)
    assert info["failure"].code == FailureCode.UNREADABLE_SOURCE and (reward, terminated, truncated) == (
        0.0,
        False,
        False,
    )
    with pytest.raises(MediaError, match="has changed since it was first read"):
        env.reset(seed=0)
    again, _ = PixelEnv([Task("mine", "Which?", ("7",), (tmp_path / "picture.bmp",))]).reset(seed=0)
    assert np.abs(again["images"][0].reshape(-1, 3) - (0, 0, 255)).max() == 0


@pytest.mark.parametrize("source_of", [file_source, embedded_source])
@pytest.mark.parametrize("replace", [False, True])
def test_a_picture_of_the_same_size_and_time_of_change_is_noticed(tmp_path, source_of, replace):
    path, other = tmp_path / "picture.bin", tmp_path / "other.bin"
    source = source_of(path)
    assert source.key
    facts = path.stat()
    if replace:  # as rsync and cp --preserve replace a file
        source_of(other)
        os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        overwrite(other, "blue", later_ns=0)
        other.replace(path)
    else:
        time.sleep(0.02)  # longer than a tick of the clock of file systems
        overwrite(path, "blue", later_ns=0)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    with pytest.raises(MediaError, match="has changed"):
        source.decode()


def test_a_parquet_file_that_was_written_over_shows_its_new_pictures_under_new_keys_alone(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"

    def write_rows(colour):
        rows = {"question": ["q"], "answer": ["x"], "image": [{"bytes": content(colour), "path": None}]}
        parquet.write_table(arrow.table(rows), path, compression="none")

    write_rows("red")
    (source,) = load_tasks(path).tasks[0].sources
    assert source.key and source.decode().getpixel((0, 0)) == (255, 0, 0)
    facts = path.stat()
    time.sleep(0.02)  # longer than a tick of the clock of file systems
    write_rows("blue")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(MediaError, match="has changed"):
        source.decode()
    anew = EmbeddedImage(source.place)
    assert anew.key != source.key and anew.decode().getpixel((0, 0)) == (0, 0, 255)

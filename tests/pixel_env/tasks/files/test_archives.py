"""Archives: nothing outside of the folder, no links, no bombs, no half files, whatever they hold."""

import gzip
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_env.errors import PixelEnvError, TaskError
from pixel_env.locks import LOCK_NAME
from pixel_env.tasks.files import archive_streams, archives
from pixel_env.tasks.files.archives import unpack
from pixel_env.tasks.preparation.index import INDEX_NAME
from tests.written_files import zipped

CASES = int(os.environ.get("PIXEL_ENV_FUZZ_CASES", "100"))


def tarred(path, *entries):
    """A tar file of (name, content) and of entries that are made already."""
    with tarfile.open(path, "w:gz" if path.suffix != ".tar" else "w") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                one = tarfile.TarInfo(entry[0])
                one.size = len(entry[1])
                archive.addfile(one, io.BytesIO(entry[1]))
    return path


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"])
def test_a_name_that_leads_out_of_the_folder_is_refused_before_anything_is_written(tmp_path, name):
    folder = tmp_path / "data"
    folder.mkdir()
    archive = zipped(tmp_path / "a.zip", ("good.png", b"x"), (name, b"x"))
    with pytest.raises(TaskError, match="leads out of the folder"):
        unpack(archive, folder)
    assert list(folder.iterdir()) == [] and not (tmp_path / "evil.png").exists()


def test_a_link_in_an_archive_is_refused(tmp_path):
    entry = zipfile.ZipInfo("images")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(TaskError, match="is a link"):
        unpack(zipped(tmp_path / "a.zip", (entry, "/etc"), ("images/passwd", b"x")), tmp_path)


def test_a_link_that_lies_in_the_folder_is_not_written_through(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "outside").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "data/images")
    with pytest.raises(TaskError, match="by a link"):
        unpack(zipped(tmp_path / "a.zip", ("images/a.png", b"x")), tmp_path / "data")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_bomb_is_refused_by_what_it_would_become(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED_BYTES", 1000)
    archive = zipped(tmp_path / "a.zip", ("zeros.png", bytes(10_000_000)))
    with pytest.raises(TaskError, match="10,000,000 bytes"):
        unpack(archive, tmp_path)
    monkeypatch.setattr(archive_streams, "MOST_ENTRIES", 1)
    with pytest.raises(TaskError, match=r"b\.zip is refused: it holds more files and folders than the 1 that"):
        unpack(zipped(tmp_path / "b.zip", ("a", b"x"), ("b", b"x")), tmp_path)


@pytest.mark.parametrize("name", [".", "x" * 300, "a.png/b.png"])
def test_a_name_that_cannot_be_written_is_a_reason(tmp_path, name):
    with pytest.raises(TaskError, match=r"a\.zip"):
        unpack(zipped(tmp_path / "a.zip", ("a.png", b"x"), (name, b"x")), tmp_path)


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_an_archive_that_was_truncated_is_named(tmp_path, cut):
    archive = zipped(tmp_path / "a.zip", ("a.png", os.urandom(5000)))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(cut if cut > 1 else cut * len(content))])
    with pytest.raises(TaskError, match=r"a\.zip"):
        unpack(archive, tmp_path)


def test_a_damaged_entry_is_named_and_not_left_behind_as_whole(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.png", os.urandom(5000)))
    content = bytearray(archive.read_bytes())
    content[2000:2010] = bytes(10)
    archive.write_bytes(bytes(content))
    with pytest.raises(TaskError, match=r"cannot unpack .*a\.zip"):
        unpack(archive, tmp_path)
    assert not (tmp_path / "a.png").exists()


def test_an_archive_brings_no_index_of_its_own(tmp_path):
    archive = zipped(tmp_path / "a.zip", (INDEX_NAME, b"{}"), (LOCK_NAME, b""), ("a.png", b"x"))
    assert unpack(archive, tmp_path) == 1 and sorted(os.listdir(tmp_path)) == ["a.png", "a.zip"]


def test_a_mac_archives_extra_folder_is_left_out(tmp_path):
    assert unpack(zipped(tmp_path / "a.zip", ("__MACOSX/._a.png", b"x"), ("a.png", b"x")), tmp_path) == 1


@settings(max_examples=CASES, deadline=None)
@given(data=st.data())
def test_any_damage_to_an_archive_is_a_reason_and_writes_nothing_outside(data, tmp_path_factory):
    base = tmp_path_factory.mktemp("zip")
    (base / "in/data").mkdir(parents=True)
    content = bytearray(zipped(base / "a.zip", ("images/a.png", b"abc" * 50), ("b.png", b"x")).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from([*b"./\\:\0", 1, 9, 255]))
    (base / "a.zip").write_bytes(bytes(content))
    try:
        unpack(base / "a.zip", base / "in/data")
    except PixelEnvError as error:
        assert "a.zip" in str(error)
    assert {entry.name for entry in base.iterdir()} == {"a.zip", "in"}
    assert [entry.name for entry in (base / "in").iterdir()] == ["data"]


# ------------------------------------------------------------------------------------------------------------ tar


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz"])
def test_a_tar_file_is_unpacked_and_again_nothing_is_written(tmp_path, suffix):
    archive = tarred(tmp_path / f"a{suffix}", ("images/a.png", b"x" * 5000), ("b.png", b""))
    assert unpack(archive, tmp_path) == 2 and (tmp_path / "images/a.png").read_bytes() == b"x" * 5000
    before = (tmp_path / "images/a.png").stat().st_mtime_ns
    assert unpack(archive, tmp_path) == 2 and (tmp_path / "images/a.png").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"])
def test_a_name_in_a_tar_file_that_leads_out_is_refused_before_anything_is_written(tmp_path, name):
    (tmp_path / "data").mkdir()
    with pytest.raises(TaskError, match="leads out of the folder"):
        unpack(tarred(tmp_path / "a.tar.gz", ("good.png", b"x"), (name, b"x")), tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.CHRTYPE, "not a file"),
        (tarfile.FIFOTYPE, "not a file"),
    ],
)
def test_links_and_devices_in_a_tar_file_are_refused(tmp_path, kind, said):
    entry = tarfile.TarInfo("images")
    entry.type, entry.linkname = kind, "/etc"
    with pytest.raises(TaskError, match=f"'images' is (a )?{said}"):
        unpack(tarred(tmp_path / "a.tar", entry, ("images/passwd", b"x")), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.tar"]


def test_a_tar_bomb_is_refused_by_what_it_would_become_and_a_header_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED_BYTES", 1000)
    with pytest.raises(TaskError, match="10,000,000 bytes"):
        unpack(tarred(tmp_path / "a.tgz", ("zeros.png", bytes(10_000_000))), tmp_path)
    entry = tarfile.TarInfo("name")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 30
    with gzip.open(tmp_path / "b.tgz", "wb") as file:
        file.write(entry.tobuf() + bytes(100_000))
    with pytest.raises(TaskError, match="a header claims"):
        unpack(tmp_path / "b.tgz", tmp_path)


@pytest.mark.parametrize("cut", [0, 10, 0.3, 0.9])
def test_a_tar_file_that_was_truncated_is_named_and_leaves_no_half_file(tmp_path, cut):
    archive = tarred(tmp_path / "a.tar", ("a.png", os.urandom(20_000)))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(cut if cut >= 1 else cut * 20_000)])
    with pytest.raises(TaskError, match=r"a\.tar"):
        unpack(archive, tmp_path)
    assert not (tmp_path / "a.png").exists()


# ---------------------------------------------------------------------------------------------------------- limits


def test_an_encrypted_zip_is_refused_and_says_so(tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip", ("a.png", b"secret" * 9)).read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + place] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(TaskError, match=r"'a\.png' is encrypted"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(TaskError, match=r"needs 5,000 bytes in .*, where 10 are free"):
        unpack(zipped(tmp_path / "a.zip", ("a.png", bytes(5000))), tmp_path)
    assert not (tmp_path / "a.png").exists()


def test_a_disk_that_fills_up_says_where_room_is_needed_and_the_next_time_it_resumes(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.png", b"x" * 1000), ("b.png", os.urandom(50_000)))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    code = (
        "import pathlib, sys; from pixel_env.tasks.files.archives import unpack; "
        "unpack(*map(pathlib.Path, sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(archive), str(tmp_path)]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
    assert f"cannot unpack {archive} into {tmp_path}" in done.stderr and "Free some space there" in done.stderr
    assert (tmp_path / "a.png").is_file() and not (tmp_path / "b.png").exists()
    assert unpack(archive, tmp_path) == 2 and (tmp_path / "b.png").stat().st_size == 50_000

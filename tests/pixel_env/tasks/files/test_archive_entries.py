"""Every header of an archive counts, folders and left-out entries too: bounded time and memory, tar and zip alike."""

import gzip
import struct
import tarfile
import tracemalloc

import pytest

from pixel_env.errors import TaskError
from pixel_env.tasks.files import archive_streams
from pixel_env.tasks.files.archives import unpack
from tests.cpu_time import growth
from tests.written_files import zipped

REFUSED = "is refused: it holds more files and folders than the 1,000 that are allowed in"


@pytest.fixture
def few(monkeypatch):
    """An archive may hold 1,000 entries, whatever its size."""
    monkeypatch.setattr(archive_streams, "ALWAYS_ALLOWED_ENTRIES", 1_000)
    monkeypatch.setattr(archive_streams, "FEWEST_BYTES_PER_ENTRY", 2**40)


def headers(path, count, name="folder", kind=tarfile.DIRTYPE, size=0):
    """A tar file of `count` equal headers."""
    one = tarfile.TarInfo(name)
    one.type, one.size = kind, size
    with gzip.open(path, "wb") if path.suffix == ".tgz" else path.open("wb") as file:
        for _ in range(count // 1_000):
            file.write(one.tobuf() * 1_000)
        file.write(one.tobuf() * (count % 1_000) + bytes(1024))
    return path


def zip_directory(path, count, name=b"folder/"):
    """A zip file that is nothing but a directory of `count` entries."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    size = len(entry) * count
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(entry * count + end64 + locator + end)
    return path


def peak_bytes(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["folder/", "__MACOSX/a.png", "a/.DS_Store", ".pixel-env-index"])
@pytest.mark.parametrize("form", [".tar", ".tgz", ".zip"])
def test_folders_and_what_is_left_out_count(few, tmp_path, form, name):
    kind = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    for count in (1_000, 1_001):
        path = tmp_path / f"{count}{form}"
        if form == ".zip":
            zip_directory(path, count, name.encode())
        else:
            headers(path, count, name, kind)
    assert unpack(tmp_path / f"1000{form}", tmp_path) == 0
    with pytest.raises(TaskError, match=REFUSED):
        unpack(tmp_path / f"1001{form}", tmp_path)


def test_a_small_archive_of_very_many_headers_is_refused_without_reading_them_all(few, tmp_path):
    archives = {count: headers(tmp_path / f"{count}.tgz", count) for count in (10_000, 100_000)}

    def refuse(count):
        with pytest.raises(TaskError, match=REFUSED):
            unpack(archives[count], tmp_path)

    assert archives[100_000].stat().st_size < 500_000  # of 51 MB
    assert growth(refuse, 10_000) < 3.0  # 10 where all are read


def test_the_folders_of_a_tar_file_are_not_kept(tmp_path):
    few, many = headers(tmp_path / "few.tar", 500), headers(tmp_path / "many.tar", 3_000)
    assert peak_bytes(lambda: unpack(many, tmp_path)) < peak_bytes(lambda: unpack(few, tmp_path)) + 200_000


def test_the_files_of_a_tar_file_are_not_kept(tmp_path):
    names = [tmp_path / "few.tar", tmp_path / "many.tar"]
    for path, count in zip(names, (500, 3_000), strict=True):
        headers(path, count, "a.png", tarfile.REGTYPE)
    few, many = (peak_bytes(lambda path=path: unpack(path, tmp_path)) for path in names)
    assert many < few + 200_000


def test_the_directory_of_a_zip_file_is_refused_before_it_is_parsed(few, tmp_path):
    archive, refusals = zip_directory(tmp_path / "a.zip", 200_000), []

    def refuse():
        with pytest.raises(TaskError, match=REFUSED) as error:
            unpack(archive, tmp_path)
        refusals.append(error)

    assert peak_bytes(refuse) < 2 * archive.stat().st_size and refusals  # parsed, each entry takes 600 bytes


def test_a_directory_longer_than_any_is_refused_unread(tmp_path, monkeypatch):
    archive = zip_directory(tmp_path / "a.zip", 5_000)
    monkeypatch.setattr(archive_streams, "_LONGEST_DIRECTORY", 70_000)
    with pytest.raises(TaskError, match="it holds more files and folders"):
        unpack(archive, tmp_path)


def test_extended_headers_count_by_their_length(few, tmp_path):
    long = tarfile.TarInfo("x")
    long.pax_headers = {"comment": "x" * 500_000}
    with gzip.open(tmp_path / "a.tgz", "wb") as file:
        for _ in range(10):
            file.write(long.tobuf(tarfile.PAX_FORMAT))
        file.write(bytes(1024))
    with pytest.raises(TaskError, match=REFUSED):
        unpack(tmp_path / "a.tgz", tmp_path)


def test_the_claimed_size_of_what_is_left_out_counts(tmp_path):
    archive = headers(tmp_path / "a.tar", 1, "__MACOSX/a.png", tarfile.REGTYPE, size=2**35)
    with pytest.raises(TaskError, match=r"34,359,738,368 bytes"):
        unpack(archive, tmp_path)


def test_an_archive_of_folders_and_files_is_unpacked(tmp_path):
    assert unpack(zipped(tmp_path / "a.zip", ("a/", b""), ("a/b.png", b"x")), tmp_path) == 1
    assert (tmp_path / "a/b.png").read_bytes() == b"x"

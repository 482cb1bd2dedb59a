"""Broken data sets for every reader of tasks: rows of each format, task files, indexes, records, archives, videos.

What is broken, and how, is drawn from the text of the case, so that the text alone repeats it. A reader must return
tasks or raise one of the package's own errors, and a task may show nothing that lies outside of the data folder.
"""

import io
import json
import math
import os
import random
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
from PIL import Image
from pyarrow import parquet

from pixel_env import store
from pixel_env.errors import PixelEnvError
from pixel_env.media.sources import FileSource
from pixel_env.task import Task
from pixel_env.tasks import read_path
from pixel_env.tasks.files.archives import unpack
from pixel_env.tasks.files.checking import checked_embedded, checked_file
from pixel_env.tasks.files.clips import ClipFrame
from pixel_env.tasks.files.containers import truncation_fault
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.tasks.preparation.index import INDEX_NAME, index_of
from pixel_env.tasks.preparation.preparing import prepare

PIECES = [
    *("good.png", "../outside.png", "link.png", "links/outside.png", "clip", "clip/1.png", "good.mp4", "/", "..", "./"),
    *("/etc/hostname", "<image>\n", "(A) ", "\n(B) ", r"\boxed{['a', 'b']}", "%", "\t", '""', "\r\n", "C:", "~"),
]
"""What readers of data sets look for, beside what a model writes."""

ROWS: dict[str, dict[str, Any]] = {
    "tasks": {"question": "q", "answer": "A", "image": "good.png", "options": ["x", "y"], "id": "1", "category": "c"},
    "pixelreasoner": {"question": "q (A) x (B) y", "answer": ["A"], "image": ["good.png"], "qid": "v-1"},
    "vstar": {"text": "q (A) x (B) y", "label": "A", "image": "good.png", "question_id": 1, "category": "c"},
    "tallyqa": {"question": "q", "answer": 3, "image": "good.png", "question_id": 1, "issimple": True},
    "infographicvqa": {"question": "q", "answers": ["a"], "image_local_name": "good.png", "questionId": 1},
    "mvbench": {"question": "q", "answer": "x", "candidates": ["x", "y"], "video": "clip", "start": 1, "end": 2.5},
    "vlmevalkit": {"index": "1", "question": "q", "image_path": "good.png", "answer": "A", "A": "x", "B": "y"}
    | {"target_instances": "[[1, 2, 30, 40]]", "multi-choice options": "['(A) x', '(B) y']"},
}
ROWS |= {
    "insight-o3": {
        "question": "q",
        "answer": "A",
        "image": "good.png",
        "options": "A. x\nB. y",
        "category": "c",
        "target_instances": "[[1, 2, 30, 40]]",
        "layout_infos": {"1": {"bbox": [1, 2, 30, 40]}},
        "target_layouts": [1],
    },
    "visual-probe": {"problem": "<image>\nq", "solution": "a", "images": ["S/good.png"], "data_source": "s"},
    "zoombench": {"query": "q\nA. x\nB. y", "response": "A", "images": ["../Z/good.png"], "crop_images": ["good.png"]},
    "charxiv-reasoning": {"query": "q", "answer": "1.5", "figure_path": "good.png", "inst_category": 4},
    "longvideobench": {"question": "q", "candidates": ["x", "y"], "correct_choice": 1, "video_path": "good.mp4"},
    "videomme": {"question": "q", "options": ["A. x", "B. y"], "answer": "B", "videoID": "good"},
    "lvbench": {"question": "q\n(A) x\n(B) y", "answer": "B", "key": "good", "question_type": ["t"], "uid": "1"},
    "docvqa": {"question": "q", "answers": ["a"], "image": "good.png", "questionId": 1, "ucsf_document_id": "x"},
    "verl": {"prompt": [{"role": "user", "content": "q"}], "images": ["good.png"], "extra_info": {"answer": "1"}},
    "conversations": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "id": "1"},
    "table": {"problem": "q", "images": ["good.png"], "choices": ["x", "y"], "solution": "B", "id": 7},
}
ROWS["longvideobench"]["duration_group"] = 15
ROWS["tallyqa-complex"] = ROWS["tallyqa"]
ROWS["zoombench-crop"] = ROWS["zoombench-views"] = ROWS["zoombench"]
FILE_NAMES = {"mvbench": "episodic_reasoning"}


def task_readers(folder: Path) -> dict[str, Callable[[str], str]]:
    """By name: functions that break something by a text, read it, and say what came of it. They write into `folder`."""
    data = folder / "data"
    _make_media(data)
    readers: dict[str, Callable[[str], str]] = {
        f"row:{name}": partial(read_row, name=name, data=data) for name in FORMATS
    }
    for suffix in (".json", ".jsonl", ".tsv", ".csv", ".parquet", ".arrow", ".tar"):
        content = _task_file(data / f"whole{suffix}")
        readers[f"file:{suffix[1:]}"] = partial(read_broken, content=content, path=data / f"a{suffix}", read=_tasks_in)
    readers["index:values"] = partial(read_index, index=json.loads(_indexed(data / "indexed")), folder=data / "indexed")
    for name, (content, read) in _others(data).items():
        readers[name] = partial(read_broken, content=content, path=data / name, read=read)
    return readers


def read_row(text: str, name: str, data: Path) -> str:
    """Reads a row of the format `name` of which some values are replaced."""
    draw = _draws(text)
    values = dict(ROWS[name])
    columns = [*FORMATS[name].columns, "unknown"]
    for column in draw.sample(columns, draw.choice((1, 1, 2, 3))):
        values[column] = _value(text, values, draw)
    row = Row(data / f"{FILE_NAMES.get(name, 'a')}.json", 1, "row 1", values)
    try:
        task = FORMATS[name].task_of(row, ImageFolder(data, ("", "clip")))
    except PixelEnvError as error:
        return _reason(error)
    return _sound(task, data)


def read_broken(text: str, content: bytes, path: Path, read: Callable[[Path], str]) -> str:
    """Reads a file of which some bytes are cut, replaced or inserted; a parquet file keeps its footer."""
    draw, footer = _draws(text), _footer_of(content)
    broken = bytearray(content.removesuffix(footer))
    for _ in range(draw.choice((1, 1, 2, 4))):
        place, end = sorted(draw.choices(range(len(broken) + 1), k=2))
        match draw.randrange(5):
            case 0:
                del broken[place:]
            case 1:
                broken[place : place + draw.choice((0, 1, end - place))] = text.encode("utf-8", "surrogatepass")
            case 2:
                broken[place : place + 1] = bytes([draw.choice((0, 1, 9, 10, 34, 92, 127, 255))])
            case 3:
                broken[place:place] = broken[place:end]
            case _:
                del broken[place:end]
    path.unlink(missing_ok=True)  # a file that is mapped into memory must not become shorter
    # pyarrow ends the process at some damaged footers, where its constructor of a column's facts throws.
    path.write_bytes(bytes(broken) + footer)
    try:
        return read(path)
    except PixelEnvError as error:
        return _reason(error)


def _footer_of(content: bytes) -> bytes:
    """The footer of a parquet file; of any other nothing."""
    if content[-4:] != b"PAR1":
        return b""
    return content[-8 - int.from_bytes(content[-8:-4], "little") :]


def read_index(text: str, index: Mapping[str, Any], folder: Path) -> str:
    """Reads a set by an index of which some values are replaced."""
    draw = _draws(text)
    changed = {name: _value(text, index, draw) for name in draw.sample([*index, "unknown"], draw.choice((1, 1, 2)))}
    (folder / INDEX_NAME).write_text(json.dumps({**index, **changed}))
    try:
        return _read_by_index(folder / INDEX_NAME)
    except PixelEnvError as error:
        return _reason(error)


def _draws(text: str) -> random.Random:
    return random.Random(zlib.crc32(text.encode("utf-8", "surrogatepass")))


def _value(text: str, values: Mapping[str, Any], draw: random.Random) -> Any:
    other = draw.choice(list(values.values()))
    place = draw.randrange(len(str(other)) + 1)
    kinds: list[Callable[[], Any]] = [
        *(lambda: text, lambda: [text], lambda: [text, other], lambda: {text: other}, lambda: None, lambda: other),
        *(lambda: draw.choice((True, 0, -1, 10**400, 1.5, math.nan, math.inf)), lambda: text * 500, lambda: [[text]]),
        *(lambda: f"{str(other)[:place]}{text}{str(other)[place:]}", lambda: draw.choice(PIECES), list, dict),
    ]
    return draw.choice(kinds)()


def _sound(task: Task, data: Path) -> str:
    """Says "task"; raises if the task is none, or shows what lies outside of the data folder."""
    if not (isinstance(task.question, str) and task.question and task.answers and all(task.answers)):
        raise AssertionError(f"{task!r} has no question or an empty answer")
    inside = os.path.join(os.path.realpath(data), "")
    for source in task.sources:
        match source:
            case EmbeddedImage(place=place):
                checked_embedded(source)
                path = place.path
            case FileSource(path=path) | ClipFrame(path=path):
                pass
            case _:
                raise AssertionError(f"{source!r} is no source of a task file")
        if not os.path.realpath(path).startswith(inside):
            raise AssertionError(f"{source!r} lies outside of {data}")
    return "task"


def _reason(error: PixelEnvError) -> str:
    if not str(error).strip():
        raise AssertionError(f"a {type(error).__name__} that says nothing")
    return "reason"


def _tasks_in(path: Path) -> str:
    reading = read_path(path)
    for task in reading.task_set.tasks:
        _sound(task, path.parent)
    if not isinstance(reading.report(), str):
        raise AssertionError("what is wrong cannot be told")
    return "task" if reading.task_set.tasks else "reason"


# --------------------------------------------------------------------------------------------------------- fixtures


def _make_media(data: Path) -> None:
    (data / "clip").mkdir(parents=True)
    for name in ("good.png", "clip/1.png", "../outside.png"):
        Image.new("RGB", (64, 64)).save(data / name)
    (data / "good.mp4").write_bytes(_MP4)
    os.symlink(data.parent / "outside.png", data / "link.png")
    os.symlink(data.parent, data / "links")


_MP4 = b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom\x00\x00\x00\x10moov12345678\x00\x00\x00\x10mdat12345678"


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    return buffer.getvalue()


_PICTURE = _picture()


def _embedded_row(number: int) -> dict[str, Any]:
    """A row with an image inside."""
    return {"question": f"q{number}", "options": ["x", "y"], "answer": "A", "image": {"bytes": _PICTURE, "path": None}}


def _task_file(path: Path) -> bytes:
    """A small set of three rows in the syntax that the suffix names."""
    rows = [ROWS["pixelreasoner"] | {"qid": f"v-{i}", "is_video": False} for i in range(3)]
    match path.suffix:
        case ".json":
            path.write_text(json.dumps(rows))
        case ".jsonl":
            path.write_text("".join(json.dumps(ROWS["tasks"] | {"id": str(i)}) + "\n" for i in range(3)))
        case ".csv":
            path.write_text('question,image,A,B,answer\n"q, ""q""",good.png,x,y,B\nq,good.png,x,"y\nz",A\n')
        case ".arrow":
            table = pyarrow.Table.from_pylist([_embedded_row(number) for number in range(3)])
            with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
        case ".tar":
            with tarfile.open(path, "w") as tar:
                for number in range(3):
                    row = json.dumps({"question": "q", "answer": "a"}).encode()
                    for name, content in (("png", _PICTURE), ("json", row)):
                        entry = tarfile.TarInfo(f"{number}.{name}")
                        entry.size = len(content)
                        tar.addfile(entry, io.BytesIO(content))
        case ".tsv":
            lines = ["\t".join(ROWS["vlmevalkit"]), *("\t".join(ROWS["vlmevalkit"].values()) for _ in range(3))]
            path.write_text("\n".join(lines) + '\n3\t"a ""q""\nb"\tgood.png\tB\tx\ty\n')
        case _:
            rows = [_embedded_row(number) for number in range(3)]
            parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=2)
    content = path.read_bytes()
    path.unlink()
    return content


def _others(data: Path) -> dict[str, tuple[bytes, Callable[[Path], str]]]:
    """By name: the bytes of a whole file, and what reads it."""
    records = b"".join(json.dumps({"version": store.VERSION, "task_id": str(i)}).encode() + b"\n" for i in range(3))
    zipped, tarred, picture = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive, tarfile.open(fileobj=tarred, mode="w") as tar:
        for name, content in (("images/a.png", b"abc" * 30), ("b.png", b"x")):
            archive.writestr(name, content)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    Image.new("RGB", (40, 30), "red").save(picture, "JPEG")
    return {
        f"indexed/{INDEX_NAME}": ((data / "indexed" / INDEX_NAME).read_bytes(), _read_by_index),
        "records.jsonl": (records, lambda path: f"{len(list(store.read(path)))} rows"),
        "archive.zip": (zipped.getvalue(), _unpacked),
        "archive.tar": (tarred.getvalue(), _unpacked),
        "picture.jpg": (picture.getvalue(), lambda path: "broken" if checked_file(path).fault else "whole"),
        "video.mp4": (_MP4, lambda path: "cut" if truncation_fault(path) else "whole"),
    }


def _indexed(folder: Path) -> bytes:
    """The index of a prepared folder with one task, which stays there."""
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "good.png")
    (folder / "a.jsonl").write_text(json.dumps(ROWS["tasks"]))
    prepare(folder)
    return (folder / INDEX_NAME).read_bytes()


def _read_by_index(path: Path) -> str:
    _tasks_in(path.with_name("a.jsonl"))
    return "none" if index_of(path.parent) is None else "index"


def _unpacked(archive: Path) -> str:
    target = archive.parent.parent / "unpacked" / archive.suffix[1:]
    target.mkdir(parents=True, exist_ok=True)
    before = sorted(os.listdir(archive.parent.parent))
    unpack(archive, target)
    if sorted(os.listdir(archive.parent.parent)) != before or len(os.listdir(target.parent)) > 2:
        raise AssertionError("something was written outside of the folder")
    return "unpacked"

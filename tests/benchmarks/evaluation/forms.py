"""The published forms with everything wrong in them that a row can have wrong: `FORMS[name]` writes such a set."""

import base64
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.pixel_env.tasks import published as made

Row = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """`name`: for `data prepare`; `row(i)`: a good row; `show(row, path)`: the row, of another picture or video."""

    name: str
    file: str
    write: Callable[[Path, list[Row]], Path]
    row: Callable[[int], Row]
    show: Callable[[Row, str], Row]
    identity: str
    folder: str = ""
    is_video: bool = False


def evaluation_row(i):
    return {"question": "Which?\n(A) x\n(B) y", "answer": "\\boxed{A}", "image": ["good.png"], "qid": f"vstar-{i}"}


def released_video_row(i):
    row = {"question": "What was taken?", "answer": ["\\boxed{bag}"], "image": ["good.mp4"]}
    return row | {"is_video": True, "qid": f"star-{i}"}


def info_file(path, rows):
    return made.as_json(path, {"dataset_name": "infographicsVQA", "dataset_split": "val", "data": rows})


MV_TABLE = {"task_type": "Action Sequence", "prefix": "video/star/Charades_v1_480/", "bound": True}
CHARADES = "video/star/Charades_v1_480"
FORMS = {
    "rl-data": Form(
        "rl-data",
        "release.parquet",
        made.as_parquet,
        evaluation_row,
        lambda row, path: row | {"image": [path]},
        "qid",
    ),
    "rl-data videos": Form(
        "rl-data",
        "release.parquet",
        made.as_parquet,
        released_video_row,
        lambda row, path: row | {"image": [path]},
        "qid",
        is_video=True,
    ),
    "evaluation": Form(
        "vstar", "vstar.parquet", made.as_parquet, evaluation_row, lambda row, path: row | {"image": [path]}, "qid"
    ),
    "vstar": Form(
        "vstar-original",
        "test_questions.jsonl",
        made.as_lines,
        lambda i: made.VSTAR_LINE | {"image": "good.png", "question_id": i},
        lambda row, path: row | {"image": path},
        "question_id",
    ),
    "tallyqa": Form(
        "tallyqa-original",
        "test.json",
        made.as_json,
        lambda i: made.TALLY_ROW | {"image": "good.png", "question_id": i},
        lambda row, path: row | {"image": path},
        "question_id",
    ),
    "infographicvqa": Form(
        "infographicsvqa-original",
        "infographicsVQA_val_v1.0_withQT.json",
        info_file,
        lambda i: made.INFO_ROW | {"image_local_name": "good.png", "questionId": i},
        lambda row, path: row | {"image_local_name": path},
        "questionId",
        folder="infographicsvqa_images",
    ),
    "mvbench": Form(
        "mvbench-original",
        "json/action_sequence.json",
        made.as_json,
        lambda i: made.MV_ROW | {"video": "good.mp4"},
        lambda row, path: row | {"video": path},
        "",
        folder=CHARADES,
        is_video=True,
    ),
    "mvbench-table": Form(
        "mvbench",
        "MVBench.tsv",
        made.as_tsv,
        lambda i: MV_TABLE | made.MV_ROW | {"video": "good.mp4", "index": i},
        lambda row, path: row | {"video": path},
        "",
        folder=CHARADES,
        is_video=True,
    ),
    "vlmevalkit": Form(
        "vstar",
        "VStarBench.tsv",
        made.as_tsv,
        lambda i: {"index": i, "image": made.encoded(), "question": "Which?", "A": "x", "B": "y", "answer": "A"},
        lambda row, path: row | {"image": path},
        "index",
    ),
    "vlmevalkit-paths": Form(
        "tallyqa",
        "tallyqa_data.tsv",
        made.as_tsv,
        lambda i: {"index": i, "image_path": "good.png", "question": "How many?", "answer": 3},
        lambda row, path: row | {"image_path": path},
        "index",
    ),
    "tasks": Form(
        "tasks",
        "mine.jsonl",
        made.as_lines,
        lambda i: {"id": f"mine-{i}", "question": "Which?", "image": "good.png", "answer": "7"},
        lambda row, path: row | {"image": path},
        "id",
    ),
}


def media(folder: Path, form: Form) -> dict[str, str]:
    """Writes a good picture or video and the broken ones; what is said of each by the name that a row gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    if form.is_video:
        return _videos(folder)
    pictures = {"cut.png": _cut, "bomb.png": _bomb, "worm.png": _worm}
    made.picture(folder / "good.png")
    for name, write in pictures.items():
        write(folder / name)
    if form.name == "vstar" and form.file.endswith(".tsv"):  # its pictures are in the table
        named = {name: base64.b64encode((folder / name).read_bytes()).decode() for name in pictures}
        return {"": "has no image", **{named[name]: "its image cannot be used" for name in pictures}}
    said = {name: f"'{name}' cannot be used" for name in pictures} | {"gone.png": "there is no image 'gone.png'"}
    return said | {"../" * 9 + "outside.png": "leaves the folder", "/etc/hostname": "leaves the folder"}


def _videos(folder: Path) -> dict[str, str]:
    whole = made.film(folder / "good.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "noise.mp4").write_bytes(b"\0" + os.urandom(5000))
    (folder / "page.mp4").write_text("<!DOCTYPE html>\n<html>the video is not here</html>")
    said = {name: f"{name}' cannot be used" for name in ("cut.mp4", "noise.mp4", "page.mp4")}
    return said | {"gone.mp4": "there is no video 'gone.mp4'", "../" * 9 + "outside.mp4": "leaves the folder"}


def _cut(path: Path) -> None:
    Image.frombytes("RGB", (100, 100), os.urandom(30_000)).save(path)
    path.write_bytes(path.read_bytes()[:15_000])


def _bomb(path: Path) -> None:
    """A small PNG whose header says 30,000 by 30,000."""
    Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)


def _worm(path: Path) -> None:
    Image.frombytes("RGB", (100, 100), os.urandom(30_000)).save(path)
    content = bytearray(path.read_bytes())
    content[10_000:12_000] = bytes(2_000)  # header and end are right, the middle is not
    path.write_bytes(content)

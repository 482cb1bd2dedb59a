"""How many tasks of each format are loaded in a second: without an index, and with the one that `data prepare` writes.

    python examples/measure_tasks.py                   # 10,000 rows of each format, up to 1 GB at a time
    python examples/measure_tasks.py --rows 1000 --formats tallyqa mvbench

Each row has a picture of its own of 320x240 noise (40 KB, JPEG), or a video of its own of 20 frames of 64x48; of the
formats whose name says "frames", a video of 16 pictures. Everything lies in the file system's cache, as just written.
`prepare` decodes all of it. Sets are written into a folder below --folder that is deleted at the end.
"""

import argparse
import base64
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow
from PIL import Image
from pyarrow import parquet

from pixel_env.tasks import load_tasks
from pixel_env.tasks.preparation.preparing import prepare

ROWS = 10_000
SIZE, FRAME_SIZE = (320, 240), (64, 48)
FRAMES = 16


@dataclass(frozen=True)
class Figures:
    """What was measured of one format; rates are per second."""

    format: str
    rows: int
    first_rate: float
    prepare_s: float
    looked_at_rate: float
    indexed_rate: float


def main() -> int:
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="of each format")
    parser.add_argument("--repeats", type=int, default=3, help="each load is timed so often; the fastest counts")
    parser.add_argument("--formats", nargs="+", choices=SETS, default=list(SETS), help="which ones")
    parser.add_argument("--folder", type=Path, default=None, help="where sets are written; default: the system's own")
    arguments = parser.parse_args()
    figures = []
    for name in arguments.formats:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            SETS[name](Path(folder), arguments.rows)
            figures.append(measured(name, Path(folder), arguments.rows, arguments.repeats))
    print(f"{'format':22}{'tasks/s':>10}{'with an index':>15}{'prepare s':>11}{'looked at/s':>13}")
    for one in figures:
        rates = f"{one.first_rate:10,.0f}{one.indexed_rate:15,.0f}{one.prepare_s:11.2f}{one.looked_at_rate:13,.0f}"
        print(f"{one.format:22}{rates}")
    return 0


def measured(name: str, folder: Path, rows: int, repeats: int) -> Figures:
    """Loads the set, prepares it, and loads it again."""
    first_s = min(load_s(folder, rows) for _ in range(repeats))
    start = time.perf_counter()
    index = prepare(folder).index
    prepare_s = time.perf_counter() - start
    indexed_s = min(load_s(folder, rows) for _ in range(repeats))
    return Figures(name, rows, rows / first_s, prepare_s, index.pictures / prepare_s, rows / indexed_s)


def load_s(folder: Path, rows: int) -> float:
    """Seconds to load all tasks of the folder."""
    start = time.perf_counter()
    count = len(load_tasks(folder, strict=True))
    seconds = time.perf_counter() - start
    if count != rows:
        raise AssertionError(f"{count} tasks were loaded, of {rows} that were written")
    return seconds


# ------------------------------------------------------------------------------------------------------------ sets


def picture(size: tuple[int, int] = SIZE) -> bytes:
    """A JPEG of noise."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def write_pictures(folder: Path, count: int, size: tuple[int, int] = SIZE) -> None:
    """`count` files 0.jpg, 1.jpg, ..."""
    folder.mkdir(parents=True)
    content = picture(size)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(content)


def film() -> bytes:
    """A video of 20 frames."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *FRAME_SIZE, "yuv420p"
        for number in range(20):
            image = Image.new("RGB", FRAME_SIZE, (10 * number, 0, 0))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return buffer.getvalue()


def own(folder: Path, rows: int) -> None:
    write_pictures(folder / "images", rows)
    row = {"question": "Which?", "answer": "A", "options": ["one", "two"]}
    lines = (json.dumps(row | {"image": f"images/{number}.jpg"}) + "\n" for number in range(rows))
    (folder / "mine.jsonl").write_text("".join(lines))


def released(folder: Path, rows: int, frames: int = 1) -> None:
    write_pictures(folder / "images", rows * frames, SIZE if frames == 1 else FRAME_SIZE)
    question = {"question": "<image>Which?\n(A) one\n(B) two", "answer": ["\\boxed{B}"], "is_video": frames > 1}
    written = [
        question | {"qid": f"a-{i}", "image": [f"images/{frames * i + frame}.jpg" for frame in range(frames)]}
        for i in range(rows)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(written), folder / "release.parquet")


def vstar(folder: Path, rows: int) -> None:
    write_pictures(folder / "direct_attributes", rows)
    row = {"text": "Which?\n(A) one\n(B) two\nAnswer with the option's letter.", "category": "c", "label": "A"}
    lines = [row | {"image": f"direct_attributes/{number}.jpg", "question_id": number} for number in range(rows)]
    (folder / "test_questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def tallyqa(folder: Path, rows: int) -> None:
    write_pictures(folder / "VG_100K", rows)
    row = {"answer": 4, "data_source": "amt", "image_id": 1, "issimple": False, "question": "How many?"}
    written = [row | {"image": f"VG_100K/{number}.jpg", "question_id": number} for number in range(rows)]
    (folder / "test.json").write_text(json.dumps(written))


def infographicvqa(folder: Path, rows: int) -> None:
    write_pictures(folder / "infographicsvqa_images", rows)
    row = {"question": "Which?", "answers": ["one", "1"], "answer_type": ["single span"]}
    data = [row | {"image_local_name": f"{number}.jpg", "questionId": number} for number in range(rows)]
    (folder / "infographicsVQA_val_v1.0_withQT.json").write_text(json.dumps({"dataset_split": "val", "data": data}))


def mvbench(folder: Path, rows: int) -> None:
    videos, content = folder / "video/star/Charades_v1_480", film()
    videos.mkdir(parents=True)
    for number in range(rows):
        (videos / f"{number}.mp4").write_bytes(content)
    write_mvbench(folder, "action_sequence", [f"{number}.mp4" for number in range(rows)])


def mvbench_frames(folder: Path, rows: int) -> None:
    for number in range(rows):
        write_pictures(folder / f"video/clevrer/video_validation/{number}", FRAMES, FRAME_SIZE)
    write_mvbench(folder, "moving_count", [f"{number}.mp4" for number in range(rows)])


def write_mvbench(folder: Path, task_name: str, videos: list[str]) -> None:
    row = {"question": "Which?", "candidates": ["one", "two"], "answer": "two", "start": 0.2, "end": 1.5}
    (folder / "json").mkdir()
    (folder / "json" / f"{task_name}.json").write_text(json.dumps([row | {"video": video} for video in videos]))


def vlmevalkit(folder: Path, rows: int) -> None:
    whole = picture()
    whole += bytes(-len(whole) % 3)  # so that what follows its end starts a group of base64 of its own
    content = base64.b64encode(whole).decode()
    with (folder / "VStarBench.tsv").open("w") as file:
        file.write("index\timage\tquestion\tA\tB\tanswer\tcategory\n")
        for number in range(rows):
            its_own = base64.b64encode(b"%09d" % number).decode()
            file.write(f"{number}\t{content}{its_own}\tWhich?\tone\ttwo\tA\tc\n")


SETS: dict[str, Callable[[Path, int], None]] = {
    "tasks": own,
    "pixelreasoner": released,
    "pixelreasoner frames": lambda folder, rows: released(folder, rows, FRAMES),
    "vstar": vstar,
    "tallyqa": tallyqa,
    "infographicvqa": infographicvqa,
    "mvbench": mvbench,
    "mvbench frames": mvbench_frames,
    "vlmevalkit": vlmevalkit,
}
"""By name: writes a set of so many rows into a folder."""


if __name__ == "__main__":
    raise SystemExit(main())

"""A large evaluation: trajectories a CPU second and memory of a run, what starting it again costs, and its page.

    python examples/measure_evaluation.py                     # 10,000 questions about 500 pictures
    python examples/measure_evaluation.py --questions 1000

The scripted oracle plays, so no model is counted: what is left is the environment, the core loop and the files. Each
question shows a picture of 640x480, a JPEG, and the oracle crops it once. Each part runs in a process of its own.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from own_process import printed_by
from peak_memory import PeakMemory
from PIL import Image

from benchmarks.evaluation import evaluate
from benchmarks.view import command as view_command

PICTURES = 500
SIZE = (640, 480)
PARTS = ("play", "again", "page")


def main(argv: list[str]) -> int:
    """Prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=None, help="where the run is written; default: the system's own")
    parser.add_argument("--part", choices=PARTS, default=None, help="for the script itself: one part, in this process")
    arguments = parser.parse_args(argv)
    if arguments.part is not None:
        print(json.dumps(measured(arguments.part, arguments.folder)))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        write_set(Path(folder), arguments.questions)
        print(f"{arguments.questions} questions  CPU seconds   a second   peak MiB above the imports")
        for part in PARTS:
            told = printed_by(__file__, ["--part", part, "--folder", folder])
            rate = arguments.questions / told["seconds"]
            print(f"{part:20}{told['seconds']:10.1f}{rate:11.0f}{told['peak_mib']:12.0f}")
        megabytes = sum(file.stat().st_size for file in (Path(folder) / "run").rglob("*") if file.is_file()) / 1e6
        print(f"the run and its page on disk: {megabytes:.0f} MB")
    return 0


def measured(part: str, folder: Path) -> dict[str, float]:
    """CPU seconds and peak memory of one part, with what it prints out of the way."""
    run = folder / "run"
    played = ["--engine", "scripted", "--model", "oracle", "--tasks", str(folder / "tasks.jsonl")]
    played += ["--dialect", "default", "--policies", "learned_zoom", "--output_dir", str(run)]
    printed, sys.stdout = sys.stdout, sys.stderr
    try:
        start = time.process_time()
        with PeakMemory() as memory:
            view_command.main([str(run)]) if part == "page" else evaluate.main(played)
        return {"seconds": time.process_time() - start, "peak_mib": memory.bytes_above / 2**20}
    finally:
        sys.stdout = printed


def write_set(folder: Path, questions: int) -> None:
    """A task file and its pictures: noise that is smooth enough to compress as photographs do."""
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        coarse = rng.integers(0, 256, (SIZE[1] // 16, SIZE[0] // 16, 3), np.uint8)
        Image.fromarray(coarse).resize(SIZE).save(folder / f"{number}.jpg")
    rows = [
        {
            "id": f"q{number}",
            "question": f"Which of the three is on picture {number % PICTURES}?",
            "image": f"{number % PICTURES}.jpg",
            "options": ["a cup", "a plant", "a lamp"],
            "answer": "a plant",
            "category": ("attributes", "positions")[number % 2],
            "evidence": [{"image": 0, "box": [0.4, 0.4, 0.5, 0.5]}],
        }
        for number in range(questions)
    ]
    (folder / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

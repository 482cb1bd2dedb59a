"""Reads published annotation files without their images: white pictures stand in, so the schema is what is checked.

    git clone --depth 1 https://github.com/m-Just/InSight-o3 && git clone --depth 1 https://github.com/princeton-nlp/CharXiv
    python examples/check_annotations.py InSight-o3/data/*/*.jsonl CharXiv/data/reasoning_val.json

Prints, for each file, how many rows become tasks, of which graders, in how many clusters and rotations, with how many
boxes of evidence, and every row that is left out. A box is cut at the edge of its stand-in, 3000x3000, so its place
says nothing.
"""

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from pixel_env.tasks import read_path
from pixel_env.tasks.reading import Reading

SIZE = (3000, 3000)


def main() -> int:
    """Prints a block for each file. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="annotation files (JSON lines, or JSON)")
    for file in parser.parse_args().files:
        with tempfile.TemporaryDirectory() as folder:
            print(report(file, read(file, Path(folder))))
    return 0


def read(file: Path, folder: Path) -> Reading:
    """The tasks of a copy of the file in `folder`, to which every image that it names is the same white picture."""
    copy = shutil.copy(file, folder / file.name)
    picture = folder / "stand-in.png"
    Image.new("L", SIZE, 255).save(picture)
    for name in set(names_in(Path(copy).read_text(encoding="utf-8"))):
        image = folder / name
        image.parent.mkdir(parents=True, exist_ok=True)
        if not image.exists():
            image.hardlink_to(picture)
    return read_path(copy)


def names_in(text: str) -> Iterator[str]:
    """The images that rows name; CharXiv's are called after their figures."""
    try:
        content = json.loads(text)
    except ValueError:
        content = [json.loads(line) for line in text.splitlines() if line.strip()]
    for row in content.values() if isinstance(content, dict) else content:
        name = row.get("image") or row.get("file_name")
        yield name if name else f"images/{row['figure_id']}.jpg"


def report(file: Path, reading: Reading) -> str:
    """What was read, in a few lines."""
    tasks = reading.task_set.tasks
    graders = ", ".join(f"{name} {count}" for name, count in sorted(Counter(task.grader for task in tasks).items()))
    lines = [
        f"{file.name}: {len(tasks)} tasks of the format {reading.format_name!r} in {reading.rows} rows",
        f"  graded by: {graders}",
        f"  clusters: {len({task.cluster or task.task_id for task in tasks})}",
        f"  rotations: {sum(task.variant is not None for task in tasks)}",
        f"  boxes: {sum(len(task.evidence) for task in tasks)}",
        *(f"  left out: {problem.location}: {problem.reason}" for problem in reading.problems),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

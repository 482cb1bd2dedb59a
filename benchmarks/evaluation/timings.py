"""How long answers took: wall seconds by the number of episodes that were played in them.

Knows files and a clock. Episodes are played side by side, so an episode has no seconds of its own; what a policy's
episodes took together, over their number, is what one more costs. A part that was killed leaves no row.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = "seconds.jsonl"


@contextmanager
def timed(folder: Path, name: str, answers: int, *, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Adds a row about the `answers` that are played under `name` inside of the block, once it has ended well."""
    start = clock()
    yield
    if answers:
        row = {"name": name, "answers": answers, "seconds": round(clock() - start, 3)}
        with (folder / SECONDS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def seconds_per_answer(folder: Path) -> dict[str, float]:
    """By name, over all rows of the folder and of the shards below it."""
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for file in (folder / SECONDS, *sorted(folder.glob(f"shard-*/{SECONDS}"))):
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for row in (json.loads(line) for line in lines if line.endswith("}")):  # a kill may have cut the last one
            totals[row["name"]][0] += row["seconds"]
            totals[row["name"]][1] += row["answers"]
    return {name: seconds / answers for name, (seconds, answers) in totals.items()}

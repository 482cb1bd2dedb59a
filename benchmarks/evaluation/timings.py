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

from pixel_env.errors import ConfigError

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
    """By name, over all rows of the folder and of the shards below it. Raises ConfigError for a broken file."""
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for file in (folder / SECONDS, *sorted(folder.glob(f"shard-*/{SECONDS}"))):
        for name, seconds, answers in _rows(file) if file.exists() else ():
            totals[name][0] += seconds
            totals[name][1] += answers
    return {name: seconds / answers for name, (seconds, answers) in totals.items()}


def _rows(file: Path) -> Iterator[tuple[str, float, int]]:
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):  # an interrupted run may have truncated the last line
                row = json.loads(line)
                yield str(row["name"]), float(row["seconds"]), int(row["answers"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{file} cannot be used ({type(error).__name__}: {error}). Remove it: only the seconds are lost."
        ) from error

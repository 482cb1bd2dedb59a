"""Appends rows to a file of a run; a disk that refuses them does not end the training.

Depends on JSONL files; independent of what the rows are.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.store import TrajectoryStore


class Appender:
    """A JSONL file that rows are appended to, each flushed. The first error is printed in one line.

    `max_bytes`: no row is begun in a file of this size or more, which is printed once, too; None: no bound.
    """

    def __init__(self, path: Path, *, max_bytes: int | None = None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._has_spoken = False

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Appends the rows, or prints why they are missing."""
        try:
            store = TrajectoryStore(self._path)
            if self._max_bytes is not None and self._path.exists() and self._path.stat().st_size >= self._max_bytes:
                self._say(f"{self._path} has reached {self._max_bytes // 10**6} MB: no further rows are written to it")
                return
            for row in rows:
                store.append(row)
        except OSError as error:
            self._say(
                f"{self._path} cannot be written ({error.strerror or error}): rows are missing there. "
                "The training goes on; free the disk, or ignore it"
            )

    def _say(self, text: str) -> None:
        if not self._has_spoken:
            print(f"pixel-env: {text}.", file=sys.stderr, flush=True)
        self._has_spoken = True

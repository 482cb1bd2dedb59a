"""The replies of a teacher or a judge on disk, by request: a run that is restarted sends no request twice.

Depends on SQLite; independent of what makes a reply usable. Unusable replies are kept too, because they would have to
be paid for again. Every reply is committed as it comes, so that a killed process loses none; several processes may
share a folder.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from pixel_env.errors import ConfigError

FILE = "replies.sqlite3"
_LOCK_TIMEOUT_S = 60.0  # how long to wait for another process that holds the file

_WAY_OUT = "Give another folder with --cache, or move that file away if it is not a cache of pixel-env."

_TABLE = """CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a reply, its finish reason ("stop", "length", ...), and the tokens counted by the endpoint, or 0."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class ReplyCache:
    """Replies by key, in `folder`. Thread-safe. Raises ConfigError if the file cannot be used.

    `whose` replies they are and the `way_out` stand in that error.
    """

    def __init__(self, folder: Path, *, whose: str = "the teacher's", way_out: str = _WAY_OUT) -> None:
        self.path, self._whose, self._way_out = folder / FILE, whose, way_out
        self._lock = threading.Lock()
        with self._usable():
            folder.mkdir(parents=True, exist_ok=True)
            # isolation_level None: each statement is a transaction, on disk when `put` returns.
            self._rows = sqlite3.connect(
                self.path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._rows.execute(_TABLE)

    def get(self, key: str) -> Reply | None:
        """The reply stored under `key`, or None."""
        with self._usable():
            query = "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM replies WHERE key = ?"
            row = self._rows.execute(query, (key,)).fetchone()
        return None if row is None else Reply(*row)

    def put(self, key: str, reply: Reply) -> Reply:
        """Stores `reply` unless another process has stored one; returns the stored reply."""
        with self._usable():
            self._rows.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", (key, *astuple(reply)))
        kept = self.get(key)
        assert kept is not None
        return kept

    def take_over(self, file: Path) -> None:
        """Stores the replies of another cache, whose `file` is left as it is; replies that are here already stay."""
        with self._usable(), closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as other:
            rows = other.execute("SELECT key, text, finish_reason, prompt_tokens, completion_tokens FROM replies")
            self._rows.execute("BEGIN IMMEDIATE")  # one transaction: else each row is a write to the disk
            self._rows.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", rows)
            self._rows.execute("COMMIT")

    def forget(self, key: str) -> None:
        """Makes the reply under `key` unavailable; `totals` still counts it."""
        with self._usable():
            renamed = "UPDATE replies SET key = key || '/' || hex(randomblob(16)) WHERE key = ?"
            self._rows.execute(renamed, (key,))

    def totals(self) -> tuple[int, int, int]:
        """The number of replies ever stored, their prompt tokens and their completion tokens."""
        with self._usable():
            query = "SELECT count(*), total(prompt_tokens), total(completion_tokens) FROM replies"
            replies, prompt_tokens, completion_tokens = self._rows.execute(query).fetchone()
        return int(replies), int(prompt_tokens), int(completion_tokens)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(
                f"{self._whose} replies cannot be stored in {self.path}: {error}. {self._way_out}"
            ) from error

"""A teacher's replies on disk, by what was asked: a run that is started again asks for nothing twice.

Knows SQLite. Every reply is committed as it comes, so a killed process loses none; several processes may share a
folder. Knows nothing of what makes a reply usable: those that were not are kept too, or they would be paid for again.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from pixel_env.errors import ConfigError

FILE = "replies.sqlite3"
_PATIENCE_S = 60.0  # how long another process may hold the file

_TABLE = """CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint said, why it ended ("stop", "length", ...), and the tokens that it counted, 0 if it did not."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class ReplyCache:
    """Replies by key, in `folder`. Thread-safe. Raises ConfigError if the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        with self._usable():
            folder.mkdir(parents=True, exist_ok=True)
            # isolation_level None: each statement is a transaction, on disk when `put` returns.
            self._rows = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
            self._rows.execute(_TABLE)

    def get(self, key: str) -> Reply | None:
        """The reply that was kept under `key`."""
        with self._usable():
            query = "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM replies WHERE key = ?"
            row = self._rows.execute(query, (key,)).fetchone()
        return None if row is None else Reply(*row)

    def put(self, key: str, reply: Reply) -> Reply:
        """Keeps `reply`, unless another process was faster; returns what is kept."""
        with self._usable():
            self._rows.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", (key, *astuple(reply)))
        kept = self.get(key)
        assert kept is not None
        return kept

    def forget(self, key: str) -> None:
        """No longer finds what was kept under `key`; `paid` counts it still."""
        with self._usable():
            renamed = "UPDATE replies SET key = key || '/' || hex(randomblob(16)) WHERE key = ?"
            self._rows.execute(renamed, (key,))

    def paid(self) -> tuple[int, int, int]:
        """Replies that were ever kept, and their tokens: prompts', replies'."""
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
                f"the teacher's replies cannot be kept in {self.path}: {error}. "
                "Give another folder as cache, or move that file away if it is not one of ours."
            ) from error

"""The output folder of a run, claimed by one process at a time.

Depends on configurations and locks; independent of what a run does.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.run_folder.configuration import (
    FILE_NAME,
    changed_names,
    fields_of,
    read_configuration,
    write_whole,
)
from agents.run_folder.contents import results_in
from agents.run_folder.own_dialect import keep_dialect
from pixel_env.errors import ConfigError
from pixel_env.locks import claimed, refuse_claimed

SUMMARY = "summary.json"
"""File name of a training run's summary: accuracy on held-out tasks, and figures of the training."""
_WAIT_FOR_WHOLE = "Wait until it has ended: a shard runs before the whole run or after it, not at the same time."
_WAIT_FOR_SHARD = "Wait until it has ended: shards are merged when all of them have."


_LONGEST_VALUE = 120
"""Characters of a value in the message about another configuration; a prompt or a protocol may be longer."""
_MOST_FIELDS = 12
"""Fields in that message: those of a run with another recipe may be a hundred."""
_RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


@dataclass(frozen=True)
class RunFolder:
    """A folder that belongs to this run while the block of `claimed` lasts.

    `configuration`: what the run depends on; `is_writer`: True in one process of the run;
    `another`, `notes` and `may_change`: the arguments of `claimed`.
    """

    path: Path
    configuration: Mapping[str, Any]
    another: str
    notes: Mapping[str, str]
    is_writer: bool = True
    may_change: Collection[str] = ()

    @classmethod
    @contextmanager
    def claimed(
        cls,
        path: Path,
        parts: Sequence[Any],
        *,
        resumes: bool,
        rank: int = 0,
        whole: Path | None = None,
        another: str = "another folder",
        notes: Mapping[str, str] | None = None,
        may_change: Collection[str] = (),
        restarts: bool = False,
    ) -> Iterator["RunFolder"]:
        """The folder of a run with the fields of the dataclasses `parts`, made and locked until the block ends.

        Raises ConfigError if another process has claimed it, naming that process; if it cannot be written; and if the
        run in it was started with another configuration, naming the fields. With `resumes` that is any other
        configuration. Without, as for a training, a run that has saved nothing yet may be begun with another one, and
        one that `restarts` may always; a folder with results of something else is refused. Only the lock is written:
        call `keep_configuration` once the arguments are known to work.

        `rank`: of this process in a run with several; only rank 0 locks and writes. `whole`: for a shard, the folder of
        the whole run, in which no process may be running. `another`: the flag for another folder, for messages.
        `notes`: explanations of fields by name, for messages. `may_change`: fields in which a later run, or a
        shard, may differ, besides those that any run may change.
        """
        folder = cls(path, fields_of(parts), another, notes or {}, rank == 0, may_change)
        if whole is not None:
            refuse_claimed(whole, _WAIT_FOR_WHOLE)
        if rank != 0:
            if resumes:  # what else the folder may hold is what the first process decides
                folder._check_same()
            yield folder
            return
        with claimed(path, another):
            if resumes:
                folder._check_same()
            else:
                folder._check_results(restarts)
            yield folder

    def keep_configuration(self) -> None:
        """Writes the configuration, with which a later run in this folder is compared."""
        if self.is_writer:
            text = json.dumps(self.configuration, indent=2, sort_keys=True) + "\n"
            write_whole(self.path / FILE_NAME, text)
            if isinstance(dialect := self.configuration.get("dialect"), str):
                keep_dialect(self.path, dialect)

    def shards(self, file_name: str, own: Collection[str] = ()) -> list[Path]:
        """The files of this name in the shards below the folder, in a fixed order.

        Raises ConfigError for a shard that was made with another configuration, or in which a process is running;
        fields named in `own` may differ.
        """
        for shard in sorted(self.path.glob("shard-*")):
            refuse_claimed(shard, _WAIT_FOR_SHARD)
        files = sorted(self.path.glob(f"shard-*/{file_name}"))
        for shard in (file.parent for file in files):
            names = [name for name in self._changed_since(_of_shard(shard)) if name not in own]
            if names:
                raise ConfigError(
                    f"The shard in {shard} was made with another configuration: {', '.join(names)} differ from those "
                    f"of {self.path}. Give the flags that the shards were made with, remove the shard, or "
                    f"give {self.another}."
                )
        return files

    def _check_same(self) -> None:
        if (self.path / FILE_NAME).exists() and (other := self._other_run()):
            raise ConfigError(
                f"The run in {self.path} was started with {other}. "
                f"Resume with the same configuration, or give {self.another}."
            )

    def _check_results(self, restarts: bool) -> None:
        results = results_in(self.path)
        if not (self.path / FILE_NAME).exists():
            if results:
                raise ConfigError(
                    f"{self.path} holds {', '.join(results)}, but no {FILE_NAME}: it is no run of this command. "
                    "Give another --output_dir."
                )
            return
        before = read_configuration(self.path)
        if 2 * len(before.keys() & self.configuration.keys()) < len(self.configuration):
            raise ConfigError(f"{self.path} is the folder of another command. Give another --output_dir.")
        if results and not restarts and (other := self._other_run()):
            raise ConfigError(
                f"{self.path} holds a run with {other}. Go on with its configuration, give another --output_dir, or "
                f"--restart, which removes {', '.join(results)}."
            )

    def _other_run(self) -> str:
        """The recorded run's configuration as text: the fields that differ, with both values; empty if none differs."""
        before, after = read_configuration(self.path), self.configuration
        names = self._changed_since(before)
        changed = [f"{name} ({_change(before.get(name), after.get(name))}{self._note(name)})" for name in names]
        further = [f"and {len(names) - _MOST_FIELDS} further fields"] if len(names) > _MOST_FIELDS else []
        return f"another configuration: {', '.join([*changed[:_MOST_FIELDS], *further])}" if changed else ""

    def _changed_since(self, before: Mapping[str, Any]) -> list[str]:
        return [name for name in changed_names(before, self.configuration) if name not in self.may_change]

    def _note(self, name: str) -> str:
        return f"; {self.notes[name]}" if name in self.notes else ""


def _change(before: Any, after: Any) -> str:
    """Both values of a field; of two mappings, those of the keys that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return "; ".join(f"{name} {_change(before.get(name), after.get(name))}" for name in names)
    return f"was {_shortened(before)}, is {_shortened(after)}"


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def rank_of_process() -> int:
    """The rank of this process in a run with several, as its launcher exports it; 0 for a run with one.

    Known before the process group exists: until then transformers takes every process for number 0. The variables are
    those that accelerate reads.
    """
    return next((int(os.environ[name]) for name in _RANKS if name in os.environ), 0)


def remove_unclaimed(folder: Path) -> None:
    """Deletes the folder of an interrupted run, if there is one. Raises ConfigError if a process is running in it."""
    if folder.exists():
        with claimed(folder):
            shutil.rmtree(folder)


def _of_shard(shard: Path) -> dict[str, Any]:
    try:
        return read_configuration(shard)
    except FileNotFoundError as error:
        raise ConfigError(
            f"The shard in {shard} has no {FILE_NAME}, so its configuration is unknown. Restore the file, or remove "
            "the shard."
        ) from error

"""What is known of a training run from its folder: its configuration, its log and its summary.

Depends on the files that the training commands write; independent of pages. A file that is missing or broken is a note
for the page, and only a folder that is no run is an error.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.run_folder.configuration import FILE_NAME, read_configuration
from agents.run_folder.folder import SUMMARY
from agents.run_log.log import LOG, LogRow, log_row, read_log
from benchmarks.evaluation.records import ROWS
from benchmarks.studies.curves import log_history
from pixel_env.errors import ConfigError
from pixel_env.locks import refuse_claimed

_NAMED = 6
"""Runs that a message names."""


@dataclass(frozen=True)
class ReportedRun:
    """A training run as its folder shows it. `notes`: what is missing or broken there."""

    folder: Path
    configuration: Mapping[str, Any]
    rows: Sequence[LogRow]
    summary: Mapping[str, Any] | None
    is_running: bool
    notes: tuple[str, ...]

    @property
    def is_reinforcement(self) -> bool:
        """Whether it is a run of GRPO."""
        return "num_generations" in self.configuration or any("reward" in row.metrics for row in self.rows)

    @property
    def steps(self) -> int:
        """The last step that was logged; 0: none."""
        return max((row.step for row in self.rows), default=0)

    @property
    def total(self) -> int:
        """The steps that the run is to make; 0: not known."""
        return next((row.total for row in reversed(self.rows) if row.total), 0)

    @property
    def is_finished(self) -> bool:
        """Whether the training has made all its steps."""
        rows = [row for row in self.rows if row.kind != "eval"]
        return bool(rows) and rows[-1].kind == "end" and rows[-1].step >= rows[-1].total

    def of_kind(self, kind: str) -> list[LogRow]:
        """The rows of a kind, in order."""
        return [row for row in self.rows if row.kind == kind]


def read_training(folder: Path) -> ReportedRun:
    """The run in `folder`. Raises ConfigError for a folder that holds no training run, with what it holds instead."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no run: there is no such folder. Give the --output_dir of a training run.")
    has_configuration = (folder / FILE_NAME).is_file()
    if not (folder / LOG).is_file() and not any(folder.glob("checkpoint-*/trainer_state.json")):
        _refuse(folder, has_configuration)
    notes: list[str] = []
    configuration = _configuration(folder, notes)
    rows = _rows(folder, notes)
    return ReportedRun(folder, configuration, rows, _summary(folder, notes), _is_running(folder), tuple(notes))


def _refuse(folder: Path, has_configuration: bool) -> None:
    if (folder / ROWS).exists():
        raise ConfigError(f"{folder} holds an evaluation, which another command shows: pixel-env view {folder}")
    if below := sorted(str(file.parent) for file in folder.glob(f"**/{LOG}")):
        others = f" and {len(below) - _NAMED} further ones" if len(below) > _NAMED else ""
        raise ConfigError(
            f"{folder} holds no training run itself. Give one of those below it: {', '.join(below[:_NAMED])}{others}."
        )
    if has_configuration and "logging_steps" in read_configuration(folder):
        return  # a run that has not logged a step yet
    raise ConfigError(
        f"{folder} is no run: it has neither {LOG} nor a checkpoint. Give the --output_dir of pixel-env sft, grpo or "
        "demo."
    )


def _configuration(folder: Path, notes: list[str]) -> Mapping[str, Any]:
    try:
        return read_configuration(folder)
    except OSError:
        notes.append(f"{FILE_NAME} is missing: the configuration is not known.")
    except ConfigError as error:
        notes.append(str(error))
    return {}


def _rows(folder: Path, notes: list[str]) -> Sequence[LogRow]:
    if (folder / LOG).is_file():
        rows, errors = read_log(folder)
        if errors:
            others = f", and {len(errors) - 1} further lines" if len(errors) > 1 else ""
            notes.append(f"{LOG}: {errors[0]}{others}. They are left out.")
        if not rows:
            notes.append(f"{LOG} has no rows yet.")
        return rows
    try:
        history = log_history(folder)
    except ConfigError:
        notes.append("No step has been logged yet.")
        return []
    notes.append(f"There is no {LOG}: the figures are those of the last checkpoint.")
    return [LogRow(int(row["step"]), 0, "", str(log_row(0, row)["kind"]), _numbers(row)) for row in history]


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    written = log_row(0, row)
    return {name: value for name, value in written.items() if name in row and isinstance(value, float)}


def _summary(folder: Path, notes: list[str]) -> Mapping[str, Any] | None:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if not isinstance(summary, dict):
            raise ValueError("no JSON object")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        notes.append(f"{SUMMARY} cannot be read ({error}).")
        return None
    return summary


def _is_running(folder: Path) -> bool:
    try:
        refuse_claimed(folder, "")
    except ConfigError:
        return True
    return False

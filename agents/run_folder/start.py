"""Where a training run starts: from the beginning, from a checkpoint, or not at all because it is finished.

Depends on the run's folder and the length that is wanted; independent of what is trained.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.run_folder.checkpoints import checked_checkpoint, checkpoints_in, step_of
from agents.run_folder.configuration import write_whole
from agents.run_folder.contents import FINISHED, remove_run
from pixel_env.errors import ConfigError

NEWEST = "last"
"""The value of `--resume_from_checkpoint` that means what is done without it."""
_CONSTANT = ("constant", "constant_with_warmup")


@dataclass(frozen=True, slots=True)
class Length:
    """How long a run is wanted to be: optimizer steps, or where `steps` is below 1 passes over the data."""

    steps: int
    epochs: float


@dataclass(frozen=True, slots=True)
class Start:
    """`checkpoint`: None to start from the beginning; `note`: one line for the user, or nothing."""

    checkpoint: str | None = None
    is_finished: bool = False
    note: str = ""


def start_of(folder: Path, wanted: Length, given: str | None, *, restart: bool) -> Start:
    """Where the run in `folder`, whose configuration has been compared, starts.

    `given`: a checkpoint's folder, or `NEWEST` or None for the newest whole one. `restart` removes the run and starts
    from the beginning. Raises ConfigError for a path without a whole checkpoint, for both at once, and for a finished
    run that was lengthened and has no checkpoint.
    """
    if restart:
        if given is not None:
            raise ConfigError("--restart begins anew and --resume_from_checkpoint goes on. Give one of them.")
        removed = remove_run(folder)
        return Start(note=f"--restart removed from {folder}: {', '.join(removed) or 'nothing, it was empty'}")
    if given not in (None, NEWEST):
        checkpoint = checked_checkpoint(str(given))
        return Start(str(checkpoint), note=f"the run goes on from {checkpoint}")
    finished, found = _finished(folder), checkpoints_in(folder)
    if finished is not None and _covers(finished, wanted):
        return Start(
            is_finished=True,
            note=f"the run in {folder} is finished: {finished['steps']} steps. Its model: {folder}. A larger "
            "--max_steps or --num_train_epochs lengthens it, --restart begins anew.",
        )
    left_out = "".join(f"; {path.name} is not whole and is left out" for path in found.broken)
    if found.newest is not None:
        step = step_of(found.newest)
        return Start(
            str(found.newest), note=f"the run in {folder} goes on from step {step} ({found.newest.name}{left_out})"
        )
    if finished is not None:
        raise ConfigError(
            f"The run in {folder} ended after {finished['steps']} steps and left no whole checkpoint to go on from. "
            "Give --restart to begin anew, or another --output_dir."
        )
    note = f"there is no whole checkpoint in {folder}: the run starts from the beginning{left_out}"
    return Start(note=note if given or found.broken else "")


def about_schedule(before: Mapping[str, Any], args: Any) -> str:
    """One line if a run that goes on has another length than it had, and its learning rate depends on the length."""
    names = ("max_steps", "num_train_epochs")
    is_constant = str(args.lr_scheduler_type.value) in _CONSTANT and not 0 < args.warmup_steps < 1
    if is_constant or all(before.get(name, getattr(args, name)) == getattr(args, name) for name in names):
        return ""
    return (
        f"its length has changed: from here on the learning rate follows the {args.lr_scheduler_type.value} schedule "
        "of the new length, so the weights are not those of a run that had this length from the start"
    )


def keep_finished(folder: Path, steps: int, epoch: float) -> None:
    """Notes that the run is over. Written last, when the model and its evaluation are there."""
    write_whole(folder / FINISHED, json.dumps({"steps": steps, "epoch": epoch}) + "\n")


def forget_finished(folder: Path) -> None:
    """Removes the note: the run goes on."""
    (folder / FINISHED).unlink(missing_ok=True)


def _finished(folder: Path) -> dict[str, Any] | None:
    path = folder / FINISHED
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return {"steps": int(row["steps"]), "epoch": float(row["epoch"])}
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}). Remove it: the run then goes on from its checkpoint."
        ) from error


def _covers(finished: Mapping[str, Any], wanted: Length) -> bool:
    if wanted.steps > 0:
        return bool(finished["steps"] >= wanted.steps)
    return bool(finished["epoch"] >= wanted.epochs - 1e-6)

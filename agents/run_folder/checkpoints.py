"""The checkpoints of a training run: which of them are whole, and from which one a run goes on.

A checkpoint is whole when its list of files was written, which is done last, and every file has the size that the list
says. A process that is killed while it saves, a full disk, and a copy that broke off leave a checkpoint that is not
whole; it is never resumed from. Depends on files; independent of what a checkpoint holds.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from agents.run_folder.configuration import write_whole
from pixel_env.errors import ConfigError

FILES = "checkpoint_files.json"
"""In a checkpoint: the sizes of its files in bytes, by their paths. Written when all of them are."""
STATE = "trainer_state.json"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints in a run's folder: the newest whole one, and the newer ones that are not whole."""

    newest: Path | None
    broken: tuple[Path, ...] = ()


def mark_whole(checkpoint: Path) -> None:
    """Writes the list of the checkpoint's files. Call it when all of them have been written, by every process."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != FILES)
    sizes = {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in files}
    write_whole(checkpoint / FILES, json.dumps(sizes, indent=2) + "\n")


def unmark(checkpoint: Path) -> None:
    """Removes the list of files: the checkpoint is about to be written again."""
    (checkpoint / FILES).unlink(missing_ok=True)


def is_whole(checkpoint: Path) -> bool:
    """Whether the list of files is there and every file has its size."""
    try:
        sizes = json.loads((checkpoint / FILES).read_text(encoding="utf-8"))
        return STATE in sizes and all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which the checkpoint was taken."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints_in(folder: Path) -> Checkpoints:
    """The newest whole checkpoint of a run, and the newer ones that are not whole."""
    numbered = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    broken: list[Path] = []
    for path in sorted(numbered, key=step_of, reverse=True):
        if is_whole(path):
            return Checkpoints(path, tuple(broken))
        broken.append(path)
    return Checkpoints(None, tuple(broken))


def checked_checkpoint(given: str) -> Path:
    """The checkpoint at a path that a user gave. Raises ConfigError if none is there, or one that is not whole."""
    checkpoint = Path(given)
    if (checkpoint / FILES).is_file() and not is_whole(checkpoint):
        raise ConfigError(
            f"{checkpoint} is not whole: its files are not those that {FILES} lists. Give another one of the run's "
            "checkpoint-* folders."
        )
    if not (checkpoint / STATE).is_file():
        raise ConfigError(
            f"There is no whole checkpoint at {given}. Give one of the run's checkpoint-* folders, or leave "
            "--resume_from_checkpoint out: the run goes on from its newest one."
        )
    return checkpoint

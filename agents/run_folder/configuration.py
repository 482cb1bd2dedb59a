"""The folder of a run: its resolved configuration, and the checkpoint that it goes on from.

Knows dataclasses and JSON. Knows nothing of what the fields mean, except which of them a resumed run may change.
"""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError

FILE_NAME = "configuration.json"
MAY_CHANGE = (
    *("resume_from_checkpoint", "output_dir", "logging_", "save_", "eval_", "report_to", "run_name", "log_"),
    "vllm_server_",  # the replicas may stand elsewhere by now
    "prompt_file",  # its text is kept by its hash
    *("scorer", "lmms_samples", "strict", "ablate"),  # what is scored, written out, or played beside the rest
)
"""Beginnings of the names of fields that do not change what is learned or played."""
_ANOTHER = "Give another folder."
_WAY_OUT = "Put it back, or give another folder."


def keep_configuration(folder: Path, parts: Sequence[Any], *, resumes: bool) -> None:
    """Writes the fields of the dataclasses `parts`; a run that resumes with other ones is refused, naming them.

    So is one that starts afresh beside the checkpoints of a run with other ones, which it would resume with if it were
    cut. Raises ConfigError, for a folder that cannot be written, too.
    """
    if resumes:
        refuse_another(folder, parts)
    else:
        _refuse_checkpoints_of_another(folder, parts)
    make_folder(folder)
    write_whole(folder / FILE_NAME, json.dumps(fields_of(parts), indent=2, sort_keys=True) + "\n")


def make_folder(folder: Path) -> None:
    """Makes the folder if it is not there. Raises ConfigError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. {_ANOTHER}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder} cannot be written: it is read-only to this user. {_ANOTHER}")


def refuse_another(folder: Path, parts: Sequence[Any]) -> None:
    """Raises ConfigError, naming the fields, if the folder is that of a run with other ones than `parts` have."""
    if (folder / FILE_NAME).exists() and (changed := _changes(folder, parts)):
        raise ConfigError(
            f"The run in {folder} was started with another configuration: {changed}. "
            "Resume with the same one, or give another folder."
        )


def _refuse_checkpoints_of_another(folder: Path, parts: Sequence[Any]) -> None:
    if not any(folder.glob("checkpoint-*")):
        return
    if not (folder / FILE_NAME).exists():
        other = f"an unknown configuration: it has no {FILE_NAME}"
    elif changed := _changes(folder, parts):
        other = f"another configuration: {changed}"
    else:
        return
    raise ConfigError(
        f"{folder} holds checkpoints of a run with {other}. Give another --output_dir, go on with that run "
        "(--resume_from_checkpoint last, and its configuration), or delete its checkpoint-* folders."
    )


def _changes(folder: Path, parts: Sequence[Any]) -> str:
    """The fields that differ from the folder's, with both values; empty for none."""
    before, fields = read_configuration(folder), fields_of(parts)
    names = changed_names(before, fields)
    return ", ".join(f"{name} (was {before.get(name)!r}, is {fields.get(name)!r})" for name in names)


def read_configuration(folder: Path) -> dict[str, Any]:
    """The fields that `keep_configuration` wrote. Raises ConfigError for a file that is broken, OSError for none."""
    path = folder / FILE_NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} cannot be read ({error}). {_WAY_OUT}") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} cannot be read (it holds no JSON object). {_WAY_OUT}")
    return fields


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which two configurations differ, without those that a run may change."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name) and not name.startswith(MAY_CHANGE)]


def write_whole(path: Path, text: str) -> None:
    """Puts `text` into the file at once, in any of several processes: one that is killed leaves no broken file."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)


def checkpoint_to_resume(folder: Path, asked: str | None) -> str | None:
    """`asked` (a path, or None), where 'last' is the newest whole checkpoint in `folder`; None to start afresh.

    Raises ConfigError for a path without a checkpoint.
    """
    if asked is not None and asked != "last" and not (Path(asked) / "trainer_state.json").is_file():
        raise ConfigError(
            f"There is no whole checkpoint at {asked}. Give one of the run's checkpoint-* folders, or last."
        )
    if asked != "last":
        return asked
    numbered = {int(path.name.rpartition("-")[2]): path for path in folder.glob("checkpoint-*") if _is_whole(path)}
    if not numbered:
        print(f"There is no whole checkpoint in {folder}: the run starts from the beginning.")
        return None
    return str(numbered[max(numbered)])


def _is_whole(checkpoint: Path) -> bool:
    """Whether the file that is written last is there and can be read."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return checkpoint.name.rpartition("-")[2].isdigit()


def fields_of(parts: Sequence[Any]) -> dict[str, Any]:
    """The fields of the dataclasses, as JSON reads them back."""
    return {name: value for part in parts for name, value in _fields(part).items()}


def _fields(part: Any) -> dict[str, Any]:
    """Init fields only, as JSON reads them back; what JSON cannot say is written as text."""
    values = {field.name: getattr(part, field.name) for field in dataclasses.fields(part) if field.init}
    fields: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return fields

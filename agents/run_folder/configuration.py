"""`configuration.json` of a run: its resolved configuration, and which of its fields a later run may change.

Depends on dataclasses and JSON; independent of what the fields mean.
"""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError, one_line
from pixel_env.writing import writing

FILE_NAME = "configuration.json"
MAY_CHANGE = (
    *("resume_from_checkpoint", "output_dir", "logging_", "save_", "eval_", "report_to", "run_name", "log_"),
    "vllm_server_",  # the replicas may run on another machine by now
    *("prompt_file", "system_file"),  # prompt_sha256 and system_sha256 identify their texts
    "judge",  # a finished run may be judged, and judged again by another one
    *("scorer", "lmms_samples", "strict", "ablate"),  # what is scored, written out, or evaluated in addition
)
"""Prefixes of the names of fields that do not change what is learned or played."""
SECRETS = ("hub_token",)
"""Fields that no file of a run holds."""
_WAY_OUT = "Restore the file, or give another folder."


def read_configuration(folder: Path) -> dict[str, Any]:
    """The fields that `folder` records. Raises ConfigError for a broken file, FileNotFoundError for a missing one."""
    path = folder / FILE_NAME
    if path.exists() and not path.is_file():  # a folder; or a pipe or a device, which may have no end
        raise ConfigError(f"{path} cannot be read (it is no regular file). {_WAY_OUT}")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read ({one_line(error)}). {_WAY_OUT}") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path} cannot be read (it has no JSON object). {_WAY_OUT}")
    return fields


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which two configurations differ, without those that a run may change."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name) and not name.startswith(MAY_CHANGE)]


def fields_of(parts: Sequence[Any]) -> dict[str, Any]:
    """The init fields of the dataclasses, as JSON reads them back; other values are written as text.

    Secrets are not among them: a run folder is passed on.
    """
    values = {
        field.name: getattr(part, field.name)
        for part in parts
        for field in dataclasses.fields(part)
        if field.init and field.name not in SECRETS
    }
    fields: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return fields


def write_whole(path: Path, text: str) -> None:
    """Writes the file atomically, from any of several processes: one that is killed leaves no broken file.

    Raises WriteError, which names the file; a file that was there before is then unchanged.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with writing(path):
        try:
            partial.write_text(text, "utf-8")
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def make_folder(folder: Path) -> None:
    """Makes the folder if it is not there. Raises ConfigError if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another folder.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder} cannot be written: it is read-only to this user. Give another folder.")

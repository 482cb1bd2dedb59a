"""How a model was taught to act, kept beside its weights: dialect, pixel budgets, limits of an episode and prompt.

`pixel-env sft` and `pixel-env grpo` write `pixel_env.json` into every checkpoint; the embedded models have one each. A
folder without it may hold, or lie in, a run's folder whose `configuration.json` names the dialect. For any other model
the `model_type` of its `config.json` decides (`DIALECT_OF_MODEL_TYPE`). Where an adapter's folder says nothing, its
base is asked. Depends on files, dialects and configurations; independent of commands and of model libraries.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.checkpoints.adapters import base_chain
from agents.checkpoints.names import model_folder
from agents.run_folder.configuration import FILE_NAME as CONFIGURATION
from agents.run_folder.configuration import read_configuration, write_whole
from agents.run_folder.own_dialect import KEPT, keep_dialect, kept_name
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.files import file_in
from pixel_env.dialects.table import dialect_named, parts_of_name
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, PixelEnvError, shortened
from pixel_env.import_callable import names_recorded_in
from pixel_env.views import ViewBudgets

FILE_NAME = "pixel_env.json"
VERSION = 1
"""The version of the file. One of another version is refused."""
_LONGEST_NAME = 1000
"""Characters of a dialect's name, variants, operations and path included."""

DIALECT_OF_MODEL_TYPE: Mapping[str, str] = {
    "qwen2_5_vl": "qwen2.5-vl",
    "qwen3_vl": "qwen3-vl",
    "qwen3_5": "qwen3.5",
    "glm4v": "glm-4.5v",
}
"""The dialect in which a model of this family was trained to ground, by the beginning of the `model_type` of its
`config.json` ("qwen3_vl_moe" begins with "qwen3_vl"). The longest beginning that fits decides."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How a model was taught to act.

    Args:
        dialect: The dialect's name, with variants and operations.
        budgets: The pixel budgets that its images were shown with; None: the dialect's own.
        limits: The limits of its episodes; None: not known.
        prompt: The text of its prompt file (`prompt_files.py`); None: the dialect's own words.
        file: Where it stands, for messages.
    """

    dialect: str
    budgets: ViewBudgets | None = None
    limits: Limits | None = None
    prompt: str | None = None
    file: str = ""

    def value(self) -> Dialect:
        """The dialect. Raises ConfigError where its name means nothing here."""
        try:
            with names_recorded_in(self.file):
                return dialect_named(self.dialect)
        except PixelEnvError as error:
            raise ConfigError(
                f"{self.file} names the dialect {self.dialect!r}, which cannot be used: {error} Give --dialect."
            ) from error


def write_convention(folder: Path, convention: Convention) -> None:
    """Writes `pixel_env.json` into `folder`, with a dialect of a user's own beside it; `convention_in` reads it."""
    keep_dialect(folder, convention.dialect)
    row = {
        "version": VERSION,
        "dialect": convention.dialect,
        "budgets": None if convention.budgets is None else convention.budgets.to_row(),
        "limits": None if convention.limits is None else asdict(convention.limits),
        "prompt": convention.prompt,
    }
    write_whole(folder / FILE_NAME, json.dumps(row, indent=2, ensure_ascii=False) + "\n")


def convention_in(folder: Path) -> Convention | None:
    """What a folder of a checkpoint, a run or traces says; None if it says nothing. Raises ConfigError.

    `pixel_env.json`, else the dialect in `configuration.json`, of the folder or, for a checkpoint, of its run.
    """
    if (folder / FILE_NAME).is_file():
        return _read(folder / FILE_NAME)
    is_checkpoint = folder.resolve().name.startswith("checkpoint-")
    for run in (folder, folder.resolve().parent) if is_checkpoint else (folder,):
        if (run / CONFIGURATION).is_file():
            dialect = read_configuration(run).get("dialect")
            if not isinstance(dialect, str):
                return None
            return Convention(kept_name(run, dialect), file=str(run / CONFIGURATION))
    return None


def convention_of(model: str) -> Convention | None:
    """What the folder or the repository of a model says; None if it says nothing. Raises ConfigError.

    `model`: a folder, a hub id or the name of an embedded checkpoint; of an adapter, what it says or its base.
    """
    said = (_said_by(Path(one), one) for one in base_chain(model_folder(model)))
    return next((convention for convention in said if convention is not None), None)


def _said_by(folder: Path, model: str) -> Convention | None:
    if folder.is_dir():
        return convention_in(folder)
    file = _file_of_hub(model, FILE_NAME)
    return None if file is None else _read_of_hub(file, model)


def config_of(model: str) -> dict[str, Any] | None:
    """The `config.json` of the model, or of the one it adapts; None if there is none, or it is not a JSON object."""
    model = base_chain(model_folder(model))[-1]
    folder = Path(model)
    file = folder / "config.json" if folder.is_dir() else _file_of_hub(model, "config.json")
    try:
        config = json.loads(file.read_text(encoding="utf-8")) if file is not None else None
    except (OSError, ValueError, RecursionError):
        return None
    return config if isinstance(config, dict) else None


def model_type_of(model: str) -> str | None:
    """The `model_type` of the model's `config.json`; None if there is none, or it does not say."""
    found = (config_of(model) or {}).get("model_type")
    return found if isinstance(found, str) else None


def dialect_of_model_type(model_type: str) -> str | None:
    """The name of the dialect of a model family; None for a family that is not in the table."""
    fitting = [beginning for beginning in DIALECT_OF_MODEL_TYPE if model_type.startswith(beginning)]
    return DIALECT_OF_MODEL_TYPE[max(fitting, key=len)] if fitting else None


def _read(file: Path) -> Convention:
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        if row["version"] != VERSION:
            raise ValueError(f"it is of version {row['version']}, and this release reads version {VERSION}")
        budgets, limits, prompt = row.get("budgets"), row.get("limits"), row.get("prompt")
        return Convention(
            kept_name(file.parent, _name_in(row["dialect"])),
            None if budgets is None else ViewBudgets.from_row(budgets),
            None if limits is None else Limits(**limits),
            None if prompt is None else _text(prompt, "prompt", "its text"),
            str(file),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(
            f"{file} cannot be read ({type(error).__name__}: {error}). Restore it as the training wrote it, or delete "
            "it and give --dialect."
        ) from error


def _read_of_hub(file: Path, model: str) -> Convention:
    """The convention of a repository. Its names of files and modules are never looked for on this machine."""
    kept = _file_of_hub(model, KEPT)  # beside `file`, where it is looked for
    convention = _read(file)
    name = convention.dialect
    is_elsewhere = file_in(name) is not None or ":" in parts_of_name(name)[0]
    if is_elsewhere and (kept is None or name != str(file.parent / KEPT)):
        raise ConfigError(
            f"{model} was taught in the dialect {name!r}, and its repository has no {KEPT} that says "
            "what it is. Give --dialect."
        )
    return convention


def _name_in(stored: Any) -> str:
    """The dialect's name that is stored."""
    name = _text(stored, "dialect", "its name")
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ValueError(f"the dialect is {shortened(name)}; wanted: its name")
    return name


def _text(stored: Any, field: str, wanted: str) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"the {field} is a {type(stored).__name__}; wanted: {wanted}")
    return stored


def _file_of_hub(model: str, name: str) -> Path | None:
    """The file of a model of the hub; None for a name that is no hub id, and for a file that cannot be fetched."""
    if model.count("/") != 1 or model.startswith((".", "~", "/")):
        return None
    try:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(model, name))
    except Exception:  # no hub, no such model, no such file: loading the model raises a better error
        return None

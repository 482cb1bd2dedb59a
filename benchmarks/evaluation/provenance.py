"""What a result rests on beside the configuration: weights, revision, prompts, pixel budgets, versions.

Knows files and packages. Loads no model, and no library that could.
"""

import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from agents.engines.registry import engine_named
from benchmarks.evaluation.weights import weights_hash
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text
from pixel_env.dialects.prompt_files import prompt_hash, read_prompt_file
from pixel_env.views import ViewBudgets

_ALWAYS = ("pixel-env", "numpy", "pillow")  # Pillow resizes what the model is shown


@dataclass(frozen=True)
class Provenance:
    """Kept with a run; a run goes on only where all of it is the same.

    `weights`: a hash (`weights.py`), because a folder may be trained again under its name; `revision`: the commit of a
    model of the hub; `prompts`: the system text with the tools, and the templates of a question and an option;
    `prompt_sha256`: of the prompt file's text, if one was given.
    """

    weights: str
    revision: str | None
    prompts: dict[str, str]
    pixel_budgets: dict[str, Any]
    versions: dict[str, str]
    prompt_sha256: str | None = None


def provenance_of(
    model: str, engine: str, dialect: Dialect, budgets: ViewBudgets, *, prompt_file: str | None = None
) -> Provenance:
    """What the results of `model` rest on; `dialect` has the prompt file's words already.

    `engine`: as `--engine` names it; its packages are recorded, and the model's weights if it loads a checkpoint.
    """
    wording, spec = dialect.wording, engine_named(engine)
    return Provenance(
        weights=weights_hash(model) if spec.loads_checkpoint else "",
        revision=revision_of(model) if spec.loads_checkpoint else None,
        prompts={"system": system_text(dialect), "question": wording.question, "option": wording.option},
        pixel_budgets=budgets.to_row(),
        versions={"python": platform.python_version(), **_versions((*_ALWAYS, *spec.packages))},
        prompt_sha256=None if prompt_file is None else prompt_hash(read_prompt_file(prompt_file)),
    )


def revision_of(model: str) -> str | None:
    """The commit of a model of the hub, whose configuration is fetched for it; None for any other model."""
    if model.count("/") != 1 or Path(model).exists():
        return None
    try:
        from huggingface_hub import hf_hub_download

        place = Path(hf_hub_download(model, "config.json"))
    except Exception:  # no hub, no such model: what loads it says so better
        return None
    return place.parent.name if place.parent.parent.name == "snapshots" else None


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those that are installed, by the names that were given: of a distribution or of an import."""
    found = {name: _version_of(name) for name in packages}
    return {name: number for name, number in found.items() if number is not None}


def _version_of(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    for distribution in packages_distributions().get(package, ()):  # reads every installed package: only if needed
        return version(distribution)
    return None

"""What a result depends on besides the configuration: weights, revision, prompts, pixel budgets, versions.

Depends on files and installed packages; independent of models and of every library that could load one.
"""

import json
import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from agents.checkpoints.adapters import base_chain
from agents.checkpoints.weights_hash import weights_hash
from agents.engines.registry import engine_named
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text, tool_schemas
from pixel_env.views import ViewBudgets

_ALWAYS = ("pixel-env", "numpy", "pillow")  # Pillow resizes what the model is shown


@dataclass(frozen=True)
class Provenance:
    """Kept with a run; a run resumes only where all of it is the same.

    `weights`: a hash, because a folder may be trained again under its name; `revision`: the commit of a
    model of the hub; `prompts`: the system text with the tools, or native tools by themselves, and the templates of a
    question and an option;
    `prompt_sha256` and `system_sha256`: of the texts of the prompt file and of the system file, if they were given.
    """

    weights: str
    revision: str | None
    prompts: dict[str, str]
    pixel_budgets: dict[str, Any]
    versions: dict[str, str]
    prompt_sha256: str | None = None
    system_sha256: str | None = None


def provenance_of(
    model: str,
    engine: str,
    dialect: Dialect,
    budgets: ViewBudgets,
    *,
    prompt_sha256: str | None = None,
    declares_tools: bool = False,
    system_sha256: str | None = None,
) -> Provenance:
    """What the results of `model` depend on; `dialect` already has the words of the prompt file.

    `engine`: as `--engine` names it; its packages are recorded, and the model's weights if it loads a checkpoint.
    `declares_tools`: the operations are declared as tools instead of described in the system text.
    """
    wording, spec = dialect.wording, engine_named(engine)
    return Provenance(
        weights=weights_hash(model) if spec.loads_checkpoint else "",
        revision=revision_of(model) if spec.loads_checkpoint else None,
        prompts={
            "system": system_text(dialect),
            "question": wording.question,
            "option": wording.option,
            **{f"request of {grader}": text for grader, text in wording.requests.items()},
            **({"tools": json.dumps(tool_schemas(dialect))} if declares_tools else {}),
        },
        pixel_budgets=budgets.to_row(),
        versions={"python": platform.python_version(), **_versions((*_ALWAYS, *spec.packages))},
        prompt_sha256=prompt_sha256,
        system_sha256=system_sha256,
    )


def revision_of(model: str) -> str | None:
    """The commit of a model of the hub, or of the one that an adapter adapts; None for any other model.

    Its configuration is fetched for it.
    """
    model = base_chain(model)[-1]
    if model.count("/") != 1 or Path(model).exists():
        return None
    try:
        from huggingface_hub import hf_hub_download

        file = Path(hf_hub_download(model, "config.json"))
    except Exception:  # no hub, or no such model: loading it raises a better error
        return None
    return file.parent.name if file.parent.parent.name == "snapshots" else None


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of the installed ones, by the given names, which are of a distribution or of an import."""
    versions = {name: _version_of(name) for name in packages}
    return {name: number for name, number in versions.items() if number is not None}


def _version_of(package: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(package)
    for distribution in packages_distributions().get(package, ()):  # reads every installed package: only if needed
        return version(distribution)
    return None

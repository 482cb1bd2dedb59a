"""What can be wrong with an installation: another package in the place of ours, an extra that is not there.

Knows names and places of packages, and imports none of them.
"""

import importlib.metadata
import importlib.util
from pathlib import Path

# Distributions that are known to bring a top-level package `agents`. Installed beside ours they write into one folder.
_OTHER_OWNERS_OF_AGENTS = ("openai-agents", "agents")

_EXTRA_OF_PACKAGE = {
    "accelerate": "train",
    "cachetools": "train",
    "datasets": "data",
    "httpx": "endpoint",
    "peft": "train",
    "psutil": "train",
    "safetensors": "train",
    "tokenizers": "train",
    "torch": "train",
    "torchvision": "train",
    "transformers": "train",
    "trl": "train",
    "vllm": "vllm",
    "openai": "endpoint",
    "deepspeed": "deepspeed",
    "flash_attn": "flash-attn",
    "av": "video",
    "decord": "video",
    "huggingface_hub": "data",
    "math_verify": "released",
    "pyarrow": "data",
    # Those of every installation; missing only where pip was told to leave out what a package depends on.
    "gymnasium": "",
    "numpy": "",
    "PIL": "",
    "tqdm": "",
    "yaml": "",
}
"""Module -> the smallest optional dependency group that brings it, empty for the base."""


def extra_that_brings(module: str) -> str | None:
    """The smallest optional dependency group with `module` ("torch.nn" counts as torch); "" for the base, else None."""
    return _EXTRA_OF_PACKAGE.get(module.partition(".")[0])


def agents_package_conflict() -> str | None:
    """A message with the way out if `import agents` would not give pixel-env's own package, else None."""
    ours = Path(__file__).resolve().parent.parent / "agents"
    found = _place_of_agents()
    if found is None:
        return None  # a missing package has its own, clearer error
    if found != ours:
        return _message(found, _owner_of(found))
    # The folder is ours, yet a second distribution may have been unpacked into it, over our files or under them.
    for owner in _OTHER_OWNERS_OF_AGENTS:
        if ours in _places_of_agents_in(owner):
            return _message(found, owner)
    return None


def _place_of_agents() -> Path | None:
    spec = importlib.util.find_spec("agents")  # of a top-level name: finds the package without running it
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None


def _owner_of(found: Path) -> str | None:
    owners = importlib.metadata.packages_distributions().get("agents", [])
    return next((owner for owner in owners if found in _places_of_agents_in(owner)), None)


def _places_of_agents_in(owner: str) -> set[Path]:
    """The folders that the distribution `owner` filled with a package `agents`; none if it is not installed."""
    try:
        files = importlib.metadata.files(owner) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    return {Path(str(file.locate())).resolve().parent for file in files if file.as_posix() == "agents/__init__.py"}


def _message(found: Path, owner: str | None) -> str:
    whose = f"the distribution {owner!r}" if owner else "another project"
    remove = f"pip uninstall {owner}" if owner else f"remove or rename {found}"
    return (
        f"The Python package 'agents' at {found} comes from {whose}. pixel-env brings its own package of that name, and"
        " one environment can hold one of them. Give each its own virtual environment, or, to keep pixel-env in "
        f"this one: {remove}, then pip install --force-reinstall --no-deps pixel-env"
    )

"""Recipes: YAML files of the training commands, at a path or, of those that ship, by name.

Depends on file names; independent of the fields that a recipe sets.
"""

from pathlib import Path

from pixel_env.errors import UnknownNameError

FOLDER = Path(__file__).parents[1] / "recipes"


def shipped() -> list[str]:
    """The names of the recipes that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def recipes_of(command: str) -> list[str]:
    """The names of the recipes that ship for `pixel-env sft` or `pixel-env grpo`: each names its command at its top."""
    return [name for name in shipped() if f" {command} --config {name}" in (FOLDER / f"{name}.yaml").read_text("utf-8")]


def recipe_path(name: str) -> Path:
    """The file of the recipe `name`: a path, or the name of one that ships. Raises UnknownNameError."""
    path = Path(name)
    if path.is_file() or (path.exists() and name not in shipped()) or path.suffix in (".yaml", ".yml"):
        return path
    if name not in shipped():
        raise UnknownNameError.among("recipe", name, shipped(), "Give one of these, or the path of a YAML file.")
    return FOLDER / f"{name}.yaml"

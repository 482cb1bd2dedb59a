"""Where a recipe lies: a YAML file at a path, or one of those that ship, by name. Reads nothing, needs no library."""

from pathlib import Path

from pixel_env.errors import UnknownNameError

FOLDER = Path(__file__).parents[1] / "recipes"


def shipped() -> list[str]:
    """The names of the recipes that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def recipe_path(name: str) -> Path:
    """The file that `name`, a path or the name of a recipe that ships, stands for. Raises UnknownNameError."""
    if Path(name).is_file():
        return Path(name)
    if name not in shipped():
        raise UnknownNameError.among("recipe", name, shipped(), "Give one of these, or the path of a YAML file.")
    return FOLDER / f"{name}.yaml"

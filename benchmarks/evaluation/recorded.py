"""What the folder of an evaluation records: its configuration, checked as it is read, and its questions.

The folder may be a stranger's. So no name in it imports a module that the user has not named
(`pixel_env/import_callable.py`), and pictures outside of the task set are opened only where the user says so
(`Outside`). Depends on configurations and task sets; independent of rows and models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.run_folder.configuration import FILE_NAME, read_configuration
from benchmarks.evaluation.questions import shuffled
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, PixelEnvError, one_line, shortened
from pixel_env.grading import grader_named
from pixel_env.import_callable import names_recorded_in
from pixel_env.lazy_sequence import LazySequence
from pixel_env.task import TaskSet
from pixel_env.tasks import SAMPLE_PREFIX, load_tasks
from pixel_env.views import ViewBudgets

COUNT = "task_count"
"""The field of the configuration that says how many of the first tasks are played. A later run may raise it."""
MOST_TASKS = 1_000_000
"""Of one evaluation. Ids are looked for among all tasks of a set, and embedded sets make any number of them."""
_REQUIRED = ("tasks", "split", COUNT, "dialect", "policies")

Check = tuple[Callable[[Any], bool], str]
_TEXT: Check = (lambda value: isinstance(value, str), "a text")
_TEXT_OR_NULL: Check = (lambda value: value is None or isinstance(value, str), "a text or null")
_BOOL: Check = (lambda value: isinstance(value, bool), "true or false")
_FIELDS: Mapping[str, Check] = {
    "tasks": _TEXT,
    "split": (lambda value: isinstance(value, str) and value in ("train", "test"), "train or test"),
    COUNT: (lambda value: value is None or (_is_whole(value) and 1 <= value <= MOST_TASKS), f"1 to {MOST_TASKS}"),
    "dialect": _TEXT,
    "policies": (
        lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
        "a list of texts",
    ),
    "seed": (lambda value: _is_whole(value) and value >= 0, "a whole number"),
    "grader": _TEXT_OR_NULL,
    "media_root": _TEXT_OR_NULL,
    "follow_links": _BOOL,
    "shuffle_options": _BOOL,
}
"""The fields that are read back, and what each must be where it is there."""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Outside:
    """Where pictures may lie besides the task set's own folder, in the user's own words (`load_tasks`)."""

    follow_links: bool = False
    media_root: str | None = None


NOTHING_OUTSIDE = Outside()


def evaluation_configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the evaluation in `folder`. Raises ConfigError if there is none, or it is broken."""
    try:
        config = read_configuration(folder)
    except FileNotFoundError as error:
        raise ConfigError(f"{folder} holds no evaluation. Make one: pixel-env eval --output_dir {folder}") from error
    required = (*_REQUIRED, *(["seed"] if config.get("shuffle_options") else []))
    if missing := [name for name in required if name not in config]:
        raise ConfigError(
            f"{folder} holds the configuration of another kind of run: {', '.join(missing)} is missing in {FILE_NAME}. "
            "Give the folder of an evaluation: the --output_dir of pixel-env eval."
        )
    check_fields(folder, config)
    return config


def check_fields(folder: Path, config: Mapping[str, Any]) -> None:
    """Raises ConfigError for a field that is read back and has another type, or is out of its range."""
    for name, (fits, wanted) in _FIELDS.items():
        if name in config and not fits(config[name]):
            raise ConfigError(
                f"{folder / FILE_NAME}: {name!r} is {shortened(config[name])}; wanted: {wanted}. Restore the file."
            )


def recorded_dialect(folder: Path, config: Mapping[str, Any]) -> Dialect:
    """The dialect that the folder records. Raises PixelEnvError for one that means nothing here."""
    check_fields(folder, config)
    with names_recorded_in(folder / FILE_NAME):
        return dialect_named(config["dialect"])


def recorded_budgets(folder: Path, config: Mapping[str, Any], task_set: TaskSet) -> ViewBudgets:
    """The budgets that the images were shown with, as recorded; of a run that records none, by its dialect."""
    if not (recorded := config.get("pixel_budgets")):
        return budgets_for(None, task_set, recorded_dialect(folder, config))
    try:
        return ViewBudgets.from_row(recorded)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise ConfigError(
            f"{folder / FILE_NAME}: 'pixel_budgets' cannot be read ({one_line(error)}). Restore the file."
        ) from error


def questions_of(folder: Path, config: Mapping[str, Any], outside: Outside = NOTHING_OUTSIDE) -> TaskSet:
    """The questions as the evaluation with this configuration showed them. Raises PixelEnvError as `recorded_tasks`."""
    task_set = recorded_tasks(folder, config, "tasks", config["split"], config[COUNT], outside)
    return shuffled(task_set, config["seed"]) if config.get("shuffle_options") else task_set


def recorded_tasks(
    folder: Path,
    config: Mapping[str, Any],
    field: str,
    split: Literal["train", "test"],
    count: int | None,
    outside: Outside,
) -> TaskSet:
    """The task set that the run in `folder` records in the field `field` of its configuration.

    Raises PixelEnvError if it is gone, and ConfigError if the folder names code, or pictures outside of the task set,
    that the user has not named.
    """
    check_fields(folder, {**config, "tasks": config[field], COUNT: count})
    _check_outside(folder, config, outside)
    with names_recorded_in(folder / FILE_NAME):
        task_set = _loaded(folder, config, field, split, count, outside)
        if not isinstance(task_set.tasks, LazySequence):
            for name in {task.grader for task in task_set.tasks}:
                grader_named(name)
    return task_set


def _check_outside(folder: Path, config: Mapping[str, Any], outside: Outside) -> None:
    """Raises ConfigError for what the folder wants opened and the user has not named."""
    root = config.get("media_root")
    flags = [f"--media_root {root}"] if root is not None and outside.media_root is None else []
    flags += ["--follow_links"] if config.get("follow_links") and not outside.follow_links else []
    if flags:
        raise ConfigError(
            f"{folder / FILE_NAME} names pictures outside of its task set, which are opened only if you say so. If you "
            f"trust it: {' '.join(flags)}"
        )


def _loaded(
    folder: Path,
    config: Mapping[str, Any],
    field: str,
    split: Literal["train", "test"],
    count: int | None,
    outside: Outside,
) -> TaskSet:
    spec = config[field]
    try:
        return load_tasks(
            spec,
            split=split,
            count=count,
            grader=config.get("grader"),
            follow_links=outside.follow_links,
            media_root=outside.media_root,
        )
    except PixelEnvError as error:
        if spec.startswith(SAMPLE_PREFIX) or Path(spec.rpartition(":")[2]).expanduser().is_absolute():
            raise type(error)(f"{folder / FILE_NAME}, {field!r}: {error}") from error
        command = "eval" if "policies" in config else "grpo"
        raise ConfigError(
            f"{error} {folder} was made with --{field} {spec!r}. If that is a path, it is relative to the folder in "
            f"which pixel-env {command} ran; the current one is {Path.cwd()}. Run the same command there."
        ) from error

"""Kept rollouts in the trackers that a run reports to: tensorboard, trackio and wandb.

Each is given the image, the real prompt, the turns and the rewards. The figures go there by transformers' own
callbacks. Depends on those callbacks and on the trackers' own packages; independent of trainers.
"""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from transformers import TrainerCallback
from transformers.integrations import TensorBoardCallback, TrackioCallback, WandbCallback
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

from agents.run_log.pictures import image_of, rewards_text, turns_text
from agents.run_log.rollouts import Scored
from pixel_env.episode import Trajectory, with_images_named
from pixel_env.errors import ConfigError, UnknownNameError

MOST_SHOWN = 8
"""Rollouts of a step that a tracker is given."""
_PACKAGES = {"trackio": "trackio", "wandb": "wandb", "tensorboard": "tensorboard", "mlflow": "mlflow"}
_COLUMNS = ("step", "task", "image", "prompt", "turns", "rewards", "reference")


def check_trackers(report_to: Sequence[str | None] | None) -> None:
    """Raises UnknownNameError for a tracker that transformers lacks, ConfigError for one whose package is missing."""
    for name in report_to or ():
        if name is None:
            raise ConfigError("report_to has an empty entry. Name a tracker, or give --report_to none for none.")
        if name not in INTEGRATION_TO_CALLBACK:
            raise UnknownNameError.among("tracker", name, INTEGRATION_TO_CALLBACK, "Give --report_to none for none.")
        package = _PACKAGES.get(name)
        if package is not None and importlib.util.find_spec(package) is None:
            raise ConfigError(
                f"report_to names {name}, and the package {package} is not installed: pip install {package}. Or give "
                "--report_to none: log.jsonl and rollouts.jsonl are written in any case."
            )


def show_rollouts(
    callbacks: Sequence[TrainerCallback],
    kind: str,
    step: int,
    trajectories: Sequence[Trajectory],
    scores: Sequence[Scored],
) -> None:
    """Gives the rollouts to those of the `callbacks` that are trackers which can show images, if they have begun."""
    shows = [show for callback in callbacks if (show := _shower_of(callback)) is not None]
    if not shows:
        return
    shown = list(zip(trajectories, scores, strict=True))[:MOST_SHOWN]
    rows = [_row(step, trajectory, score) for trajectory, score in shown]
    for show in shows:
        show(f"rollouts/{kind}", step, rows)


_Show = Callable[[str, int, list[dict[str, Any]]], None]


def _shower_of(callback: TrainerCallback) -> _Show | None:
    match callback:
        case TensorBoardCallback() if callback.tb_writer is not None:
            return lambda name, step, rows: _to_tensorboard(callback.tb_writer, name, step, rows)
        case TrackioCallback() if callback._initialized:
            return lambda name, step, rows: _to_trackio(callback._trackio, name, step, rows)
        case WandbCallback() if callback._initialized:
            return lambda name, step, rows: _to_wandb(callback._wandb, name, step, rows)
    return None


def _row(step: int, trajectory: Trajectory, score: Scored) -> dict[str, Any]:
    image = image_of(trajectory)
    values = (
        step,
        trajectory.task.task_id,
        None if image is None else np.asarray(image),
        with_images_named(trajectory.prompt.text),
        turns_text(trajectory),
        rewards_text(score),
        " or ".join(trajectory.task.answers),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _to_tensorboard(writer: Any, name: str, step: int, rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        if row["image"] is not None:
            writer.add_image(f"{name}/{number}", row["image"], step, dataformats="HWC")
        texts = (f"**{column}**\n\n{_literal(str(row[column]))}" for column in _COLUMNS if column != "image")
        writer.add_text(f"{name}/{number}", "\n\n".join(texts), step)
    writer.flush()


def _literal(text: str) -> str:
    """As a code block of Markdown: indented, so that nothing in the text can end it."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _to_trackio(trackio: Any, name: str, step: int, rows: list[dict[str, Any]]) -> None:
    import pandas

    data = [{**row, "image": _image(trackio, row)} for row in rows]
    trackio.log({name: trackio.Table(dataframe=pandas.DataFrame(data)), "train/global_step": step})


def _to_wandb(wandb: Any, name: str, step: int, rows: list[dict[str, Any]]) -> None:
    data = [[_image(wandb, row) if column == "image" else row[column] for column in _COLUMNS] for row in rows]
    images = [image for row in rows if (image := _image(wandb, row)) is not None]  # a panel with a slider over steps
    table = wandb.Table(columns=list(_COLUMNS), data=data)
    wandb.log({name: table, f"{name}/images": images, "train/global_step": step})


def _image(tracker: Any, row: dict[str, Any]) -> Any:
    return None if row["image"] is None else tracker.Image(row["image"], caption=row["task"])

"""Episodes that were played once and are written down, played again and compared.

    python -m tests.pixel_env.recording      # plays everything again and writes tests/pixel_env/recorded_episodes

The data is a promise. Each id stands for its dynamics, its prompts and its gradings, to the byte: what a trained model
has seen, and what a published figure was measured on. Whoever has to write the data again because one of the old rows
came out differently changes that promise: raise the id's version (`-v0` to `-v1`) and give it a changelog line. New
rows beside the old ones are free; they come from `recording_plan.py`.

A row says what was done, literally, and what came of it. Values that are left out are empty (None, False, 0, "", []).
What is long and used more than once stands in `shared.json`, and in the rows as "#" and the beginning of its sha256.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image

from pixel_env import interventions
from pixel_env.actions import tool_schemas, write
from pixel_env.dialects import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.errors import MediaError
from pixel_env.spaces import AssistantText
from pixel_env.store import row_of, trajectory_of
from pixel_env.types import Limits, Task, Unfinished
from tests.pixel_env.recording_files import Row, difference, write_files

# ------------------------------------------------------------------------------------------- tasks beside the ids


@dataclasses.dataclass(frozen=True, slots=True)
class Gradient:
    """A picture in which every pixel tells where it lies; `shade` tells pictures apart."""

    width: int
    height: int
    shade: int = 0

    @property
    def key(self) -> str:
        return f"gradient:{self.width}x{self.height}:{self.shade}"

    def decode(self) -> Image.Image:
        rows, columns = np.mgrid[0 : self.height, 0 : self.width]
        channels = (columns % 256, rows % 256, (columns // 256 + 8 * (rows // 256) + self.shade) % 256)
        return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that cannot be read."""

    key: str = "unreadable"

    def decode(self) -> Image.Image:
        raise MediaError("it is made to fail")


def _frames(count: int, width: int, height: int) -> tuple[Gradient, ...]:
    return tuple(Gradient(width, height, 10 * shade) for shade in range(count))


OWN_TASKS = (
    Task("one", "Which digit is on the {red} card?", ("7",), (Gradient(280, 280),)),
    Task("two", "Which is larger?", ("2",), (Gradient(300, 200, 50), Gradient(640, 960, 90)), grader="number"),
    Task("large", "What is written?", ("Pixel Reasoner", "pixels"), (Gradient(1400, 700),), grader="anls"),
    Task("tall", "Which one?", ("blue",), (Gradient(70, 5700),), grader="choice", options=("red", "blue", "a {dog}")),
    Task("text", "How much is 3 + 4?", ("7",), media="text", grader="number"),
    Task("video", "Which frame?", ("B",), _frames(16, 84, 56), media="video", grader="choice", options=("1", "2")),
    Task("short video", "How many?", ("5",), _frames(5, 336, 224), media="video"),
)
"""What the ids' own sets do not hold: two pictures, none, very long ones, small frames."""

# --------------------------------------------------------------------------------------------------- the player


def unreadable(look: interventions.Look) -> tuple[Any, ...]:
    """Pictures that can no longer be read."""
    return tuple(dataclasses.replace(view, source=Unreadable()) for view in look.views)


def _intervention(name: str) -> interventions.Intervention:
    kind, _, seed = name.partition(":")
    named: dict[str, interventions.Intervention] = {
        "unchanged": interventions.unchanged,
        "blank": interventions.blank,
        "withheld": interventions.withheld,
        "unreadable": unreadable,
    }
    return interventions.random_position(int(seed)) if kind == "random_place" else named[kind]


def environment_of(setting: Row) -> tuple[gym.Env[Any, str], PixelEnv]:
    """The environment of a setting, made once: as Gymnasium gives it, and without its wrappers."""
    env = _environment(json.dumps(setting))
    assert isinstance(env.unwrapped, PixelEnv)
    return env, env.unwrapped


@functools.cache
def _environment(setting: str) -> gym.Env[Any, str]:
    given = json.loads(setting)
    options: Row = {
        "dialect": given["dialect"],
        "limits": Limits(**given.get("limits", {})),
        "intervention": _intervention(given.get("intervention", "unchanged")),
    }
    if "budgets" in given:
        options["budgets"] = given["budgets"]
    if given["id"] == "own":
        return PixelEnv(OWN_TASKS, **options)
    return gym.make(given["id"], split=given["split"], **options)


def play(setting: Row, opening: Row, texts: Sequence[str | Callable[[list[tuple[int, int]]], str]]) -> Row:
    """One episode as a row: it ends with the texts, or before. A text may be made from the sizes shown so far.

    `setting`: id (or "own"), split, dialect, limits, budgets, intervention; `opening`: a `task_id`, or a `seed` and
    after how many `further_resets`.
    """
    env, inner = environment_of(setting)
    options = {"task_id": opening["task_id"]} if "task_id" in opening else None
    observation, info = env.reset(seed=opening.get("seed"), options=options)
    for _ in range(opening.get("further_resets", 0)):
        observation, info = env.reset()
    reset = {**_seen(observation), "task_id": info["task_id"], "notice": info["notice"]}
    sizes = [(image.shape[1], image.shape[0]) for image in observation["images"]]
    steps = []
    for given in texts:
        text = given if isinstance(given, str) else given(sizes)
        observation, reward, terminated, truncated, info = env.step(text)
        sizes += [(image.shape[1], image.shape[0]) for image in observation["images"]]
        turn = row_of(inner.trajectory)["turns"][-1]
        step = {"text": str(text), "is_unfinished": isinstance(text, Unfinished), "observation": _seen(observation)}
        step |= {"reward": reward, "terminated": terminated, "truncated": truncated, "stop": info["stop"]}
        action, failure = turn["action"], info["failure"]
        told = None if failure is None else {"code": failure.code, "message": failure.message}
        is_the_actions = told == {"code": action.get("code"), "message": action.get("reason")}
        step["failure"] = "as the action" if is_the_actions else told
        steps.append({**step, "action": action, "views": turn["views"]})
        if terminated or truncated:
            break
    row = row_of(inner.trajectory)
    whole = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
    # What does not stand in the reset and the steps; the hash is of all.
    kept = {name: row[name] for name in ("category", "answers", "answer")}
    return {"setting": setting, "opening": opening, "reset": reset, "steps": steps, "row": {**kept, "sha256": whole}}


def _seen(observation: Mapping[str, Any]) -> Row:
    return {"text": observation["text"], "images": [_picture(image) for image in observation["images"]]}


def _picture(image: np.ndarray) -> str:
    assert image.dtype == np.uint8 and image.shape[2] == 3
    return f"{image.shape[1]}x{image.shape[0]}:{hashlib.sha256(image.tobytes()).hexdigest()[:16]}"


def texts_of(episode: Row) -> list[str]:
    """What the assistant said in a recorded episode."""
    steps = episode.get("steps", [])
    return [Unfinished(step.get("text", "")) if "is_unfinished" in step else step.get("text", "") for step in steps]


# ------------------------------------------------------------------------------- gradings, and dialects by themselves


def gradings(setting: Row, opening: Row, texts: Sequence[str]) -> Row:
    """What each of the texts is worth, as the only turn of an episode."""
    env, inner = environment_of(setting)
    graded = []
    for text in texts:
        _, info = env.reset(seed=opening.get("seed"))
        _, reward, terminated, _, _ = env.step(text)
        graded.append({"text": text, "reward": reward, "terminated": terminated, "answer": inner.trajectory.answer})
    return {"setting": setting, "opening": opening, "task_id": info["task_id"], "graded": graded}


def action_of(row: Row) -> Any:
    """The typed action that stands as `row` in a store."""
    failed = {"code": "no_such_image", "message": ""}  # no image is there to act on
    turn = {"text": "", "unfinished": False, "action": row, "failure": failed, "observation": "", "views": []}
    whole = {"task_id": "", "question": "", "answers": [], "prompt": {"system": "", "question": ""}, "turns": [turn]}
    whole |= {"prompt_views": [], "stop": None, "reward": 0.0, "answer": None, "error": None}
    return trajectory_of(whole, Task("", "", ())).turns[0].action


def written(row: Row, dialect: str, sizes: Sequence[Sequence[int]]) -> str | None:
    """The action's text; None for what the dialect cannot say."""
    try:
        both = [(width, height) for width, height in sizes]
        return write(action_of(row), dialect_named(dialect), both, both)
    except ValueError:
        return None


def dialect_by_itself(name: str, asked: Sequence[Row]) -> Row:
    """Tool schemas, how each action of `asked` (with the sizes it is written for) is written, and samples."""
    dialect = dialect_named(name)
    try:
        space = AssistantText(dialect, seed=0)
        samples = [space.sample() for _ in range(20)]
    except ValueError:  # a dialect without calls cannot sample one
        samples = []
    texts = [written(item["action"], name, item["sizes"]) for item in asked]
    return {"dialect": name, "schemas": tool_schemas(dialect), "asked": asked, "written": texts, "samples": samples}


def again(row: Row) -> Row:
    """What comes of a recorded row now."""
    if "dialect" in row:
        return dialect_by_itself(row["dialect"], row["asked"])
    if "graded" in row:
        return gradings(row["setting"], row["opening"], [item.get("text", "") for item in row["graded"]])
    return play(row["setting"], row["opening"], texts_of(row))


def told(row: Row, now: Row) -> str | None:
    """What differs between a recorded row and the same one played `now`, for a person; None if nothing does."""
    where = difference(row, now)
    if where is None:
        return None
    about = row.get("setting", {"dialect": row.get("dialect")})
    said = [("UNFINISHED " if isinstance(text, Unfinished) else "") + repr(str(text)) for text in texts_of(row)]
    listed = "".join(f"\n  step {place}: {text}" for place, text in enumerate(said))
    return (
        f"{json.dumps(about)}, opened by {row.get('opening')}:{listed}\n{where}\n"
        f"Such a change of an id's dynamics, prompts or gradings raises its version; "
        "see tests/pixel_env/recording.py."
    )


def record() -> None:
    """Plays the plan and writes every file of the folder anew."""
    from tests.pixel_env.recording_plan import FILES

    write_files({file: list(rows()) for file, rows in FILES.items()})


if __name__ == "__main__":
    record()

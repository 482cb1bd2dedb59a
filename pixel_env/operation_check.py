"""`check_operation`: the contract that the rest of the library relies on, tried on an operation.

Depends on the environment and the store; only tests call it. Like `gymnasium.utils.env_checker.check_env` for
environments: call it in the test of an operation of your own.
"""

import json
import pickle
from collections.abc import Sequence

import numpy as np

from pixel_env.actions import parse, sizes_for, tool_schemas, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect, view_budgets
from pixel_env.dialects.table import dialect_named, with_operations
from pixel_env.env import PixelEnv
from pixel_env.failures import FailureCode
from pixel_env.media.cache import CACHE
from pixel_env.media.sizes import shown_size
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.operation import ImageOperation, Operation
from pixel_env.operations.registry import register
from pixel_env.store import row_of, trajectory_of
from pixel_env.task import Task
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.views import View

_SIDES = ((640, 480), (480, 640))
_ROUNDING = 1e-6
_RATE = 0.5  # frames per second of the video that has times
_BUDGETS = view_budgets(*[(28 * 28, 16 * 28 * 28)] * 4, factor=28)  # small: nothing that is checked depends on them


class OperationContractError(AssertionError):
    """An operation breaks its contract; the message says which part."""


def check_operation(
    operation: type[Operation],
    *,
    dialects: Sequence[str | Dialect] = ("default", "qwen2.5-vl", "qwen3-vl", "released"),
    draws: int = 10,
    seed: int = 0,
) -> None:
    """Registers `operation` and tries it with `draws` random arguments in each of `dialects` (names or values).

    Tried are: its declaration, its schema, writing and reading calls, storing and reading back, executing without an
    exception whatever image is named, the size of what it shows, and that boxes map to its source and back. Raises
    ConfigError if it is not declared well, OperationContractError with the part that is broken.
    """
    register(operation)
    rng = np.random.default_rng(seed)
    for named in dialects:
        base = dialect_named(named) if isinstance(named, str) else named
        dialect = base if operation in base.offered else with_operations(base, [operation.name])
        _check_schema(operation, dialect)
        for task in _tasks():
            frames = len(task.sources) if task.media == "video" else 0
            seconds = frames / task.frames_per_second if task.frames_per_second else 0.0
            for _ in range(draws):
                drawn = operation.draw(Drawing(rng, len(task.sources), frames, seconds))
                if drawn is not None:
                    _check_grammar(drawn, dialect, task)
                    _check_episode(drawn, dialect, task, rng)


def _tasks() -> tuple[Task, ...]:
    sources = tuple(PixelSource(*size, shade=index) for index, size in enumerate(_SIDES))
    frames = sources[:1] * 4
    return (
        tiny_task(sources=sources, evidence=()),
        tiny_task(sources=frames, media="video", evidence=()),
        tiny_task(sources=frames, media="video", evidence=(), frames_per_second=_RATE),
    )


def _check_schema(operation: type[Operation], dialect: Dialect) -> None:
    name = dialect.name_of(operation)
    schemas = [schema for schema in tool_schemas(dialect) if schema["function"]["name"] == name]
    _require(len(schemas) == 1 and bool(json.dumps(schemas)), operation, f"its schema is {schemas}, wanted: one")


def _check_grammar(drawn: Operation, dialect: Dialect, task: Task) -> None:
    sizes = sizes_for(dialect, task.opening_views, _BUDGETS)
    text = write(drawn, dialect, *sizes)
    again = parse(text, dialect, *sizes)
    kind = type(drawn)
    _require(isinstance(again, kind), kind, f"{text!r} is read as {again!r}")
    assert isinstance(again, Operation)
    _require(
        write(again, dialect, *sizes) == text, kind, f"{text!r} is read as {again!r}, which is written differently"
    )
    row = json.loads(json.dumps(drawn.to_row()))
    _require(kind.from_row(row) == drawn, kind, f"stored as {row} it comes back as {kind.from_row(row)!r}")
    _require(pickle.loads(pickle.dumps(drawn)) == drawn, kind, "it does not survive pickle")
    _require(hash(drawn) == hash(kind.from_row(row)), kind, "equal operations have different hashes")
    _require(bool(drawn.shown()) and "\n" not in drawn.shown(), kind, f"shown() is {drawn.shown()!r}")


def _check_episode(drawn: Operation, dialect: Dialect, task: Task, rng: np.random.Generator) -> None:
    kind = type(drawn)
    env = PixelEnv([task], dialect=dialect, budgets=_BUDGETS)
    env.reset(seed=0)
    for number in (-1, len(task.sources)):
        if (field := kind.image_field()) is not None:
            elsewhere = kind(**{name: getattr(drawn, name) for name in kind.arguments()} | {field: number})
            failure = elsewhere.run(env.trajectory.views, task, dialect.rule)
            code = getattr(failure, "code", None)
            _require(
                code is FailureCode.NO_SUCH_IMAGE, kind, f"image {number} gives {failure!r}, wanted: no_such_image"
            )
    sizes = sizes_for(dialect, env.trajectory.views, env.budgets)
    observation, *_, info = env.step(write(drawn, dialect, *sizes))
    if info["failure"] is not None:
        return
    turn = env.trajectory.turns[-1]
    if kind.brings_images:
        _require(bool(turn.views), kind, "it was executed and returned no view; return a Failure if there is none")
    else:
        _require(not turn.views, kind, "its brings_images is False and it returned a view; set it to True")
        _require(bool(turn.observation), kind, "it brings no images and its observation is empty; give a text")
    for image, view in zip(observation["images"], turn.views, strict=True):
        size = shown_size(view, env.budgets)
        _require(size == (image.shape[1], image.shape[0]), kind, f"shown_size is {size}, the image {image.shape}")
        _check_boxes(kind, view, rng)
    if isinstance(drawn, ImageOperation):
        source = CACHE.get(task.sources[0])
        size = drawn.result_size(*source.size)
        applied = drawn.apply(source)
        _require(applied.size == size, kind, f"result_size is {size}, apply gives {applied.size}")
        _require(applied.mode == "RGB", kind, f"apply gives the mode {applied.mode}, wanted: RGB")
    row = json.loads(json.dumps(row_of(env.trajectory)))
    _require(trajectory_of(row, task) == env.trajectory, kind, "its trajectory is read back as another one")


def _check_boxes(kind: type[Operation], view: View, rng: np.random.Generator) -> None:
    x0, y0 = rng.uniform(0, 0.7, size=2)
    box = Box(float(x0), float(y0), float(x0 + 0.25), float(y0 + 0.25))
    on_source = view.to_source(box)
    again = view.from_source(on_source)
    _require(
        again is not None and again.iou(box) > 1 - _ROUNDING,
        kind,
        f"{box} of its result lies at {on_source} of the source, and that at {again} of its result",
    )
    covered = on_source.covered_by(view.box)
    _require(covered > 1 - _ROUNDING, kind, f"{on_source} lies outside of the region that the view names, {view.box}")


def _require(holds: bool, kind: type[Operation], message: str) -> None:
    if not holds:
        raise OperationContractError(f"the operation {kind.name!r}: {message}")

"""All findings about a model and a dialect, in order: template, images, marks, positions, a sampled turn.

Depends on transformers; independent of how findings are printed.
"""

from collections.abc import Iterator
from typing import Any

from transformers import AutoConfig

from agents.chat.chat import Chat
from agents.checkpoints.adapters import base_chain
from agents.checkpoints.conventions import convention_of
from agents.checkpoints.loading import loading
from agents.checkpoints.processor import load_processor
from agents.dialect_check.finding import Finding, note, problem
from agents.dialect_check.processor import image_findings, mark_findings, template_findings
from agents.dialect_check.turn import turn_findings
from agents.engines.load import load_engine
from pixel_env.dialects.dialect import Dialect
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


def model_findings(dialect: Dialect, model: str, task_set: TaskSet, max_new_tokens: int | None) -> Iterator[Finding]:
    """What `check.findings` yields, of a checkpoint folder or a hub id."""
    with loading(model):
        processor, config = (
            load_processor(model),
            AutoConfig.from_pretrained(base_chain(model)[-1], trust_remote_code=False),
        )
    yield from _taught(dialect, model)
    fits = True
    for finding in _without_weights(processor, config, dialect, task_set):
        fits = fits and finding.kind != "problem"
        yield finding
    if max_new_tokens is None:
        return
    if not fits:
        yield note("no turn is sampled before these problems are solved")
        return
    with loading(model):
        engine, chat = load_engine(model, dialect, dtype="auto", max_batch=1)
    yield from turn_findings(engine, chat, dialect, task_set, max_new_tokens)


_READING = ("calls", "coordinates", "names", "keys", "box_keys", "image_names", "first_index", "answer_rule")
"""The fields of a dialect by which a call or an answer is read."""


def _taught(dialect: Dialect, model: str) -> Iterator[Finding]:
    """Whether the model is recorded as one of another dialect."""
    convention = convention_of(model)
    if convention is None:
        return
    taught = convention.value()
    different = [name for name in _READING if getattr(taught, name) != getattr(dialect, name)]
    if different:
        yield note(
            f"the model was taught {convention.dialect!r} ({convention.file}), which differs in "
            f"{', '.join(different)}; it plays in {dialect.name!r} only after training in it"
        )


def _without_weights(processor: Any, config: Any, dialect: Dialect, task_set: TaskSet) -> Iterator[Finding]:
    templates = list(template_findings(processor, dialect))
    yield from templates
    if any(finding.kind == "problem" for finding in templates):
        return
    try:
        chat = Chat(processor, dialect)
    except ConfigError as error:
        yield problem(str(error))
        return
    images = list(image_findings(chat, dialect))
    yield from images
    yield from mark_findings(chat, dialect, task_set)
    if not any(finding.kind == "problem" for finding in images):
        yield from _positions(chat, config, dialect, task_set)


def _positions(chat: Chat, config: Any, dialect: Dialect, task_set: TaskSet) -> Iterator[Finding]:
    """The model's positions beside the tokens of a prompt and of the largest images."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None)
    if positions is None:
        return
    env = PixelEnv(task_set, dialect=dialect)
    observation, _ = env.reset(seed=0, options={"task_id": task_set.tasks[0].task_id})
    task = env.trajectory.task
    frames = len(task.sources) if chat.video_entry and task.media == "video" else 0
    tokens = len(chat.open(env.trajectory.prompt, observation["images"], video_frames=frames))
    token = chat.image_factor**2
    original, crop = (budget.max_pixels // token for budget in (env.budgets.original, env.budgets.crop))
    text = (
        f"the model has {positions} positions; the prompt of {task.task_id} is {tokens} tokens, an image of the task "
        f"up to {original}, a crop up to {crop}"
    )
    if tokens >= positions:
        yield problem(f"{text}: nothing is left for a turn. Give a dialect with smaller budgets.")
    else:
        yield note(f"{text}; give commands --max_tokens {positions} or less")

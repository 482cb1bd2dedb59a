"""`pixel-env ask IMAGE ... "question"`: plays one episode, prints it step by step and writes a page that shows it.

Depends on tasks of own files, engines, `agents.rollout` and the page; independent of task sets and of evaluations.
"""

import dataclasses
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agents.checkpoints.context import context_of, within_context
from agents.checkpoints.names import CHECKPOINTS
from agents.config.arguments import parse
from agents.config.model_dialect import ModelDialect, dialect_of_engine
from agents.config.names import DialectName
from agents.engines.choice import EngineArguments, check_has_model, check_videos, engine_chosen
from agents.engines.registry import engine_named
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.ask.question import task_of_files
from benchmarks.evaluation.config import Precision
from benchmarks.evaluation.records import Record
from benchmarks.evaluation.unread import unread_notice
from benchmarks.view.page import check_page, write_page
from benchmarks.view.rows import Run
from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NotNegative
from pixel_env.episode import Action, Answer, Limits, Malformed, Stop, Text, Trajectory
from pixel_env.errors import ConfigError
from pixel_env.media.sizes import shown_size
from pixel_env.operations.operation import Operation
from pixel_env.samples import digit_question, half_question
from pixel_env.samples.scenes import COLOURS
from pixel_env.task import Task
from pixel_env.views import View, ViewBudgets
from rewards.shaping import group_reward_named

USAGE = 'IMAGE ... "QUESTION" [--config FILE] [--NAME VALUE ...]'
_FLAG = re.compile(r"--?[A-Za-z][\w-]*(=|$)")


@dataclass(frozen=True)
class AskConfig(EngineArguments):
    """Ask a model one question about images or a video."""

    images: tuple[str, ...] = field(
        default=(), metadata={"help": "images, a video or a folder of frames; --images may be left out"}
    )
    question: str = field(default="", metadata={"help": "the question; --question may be left out behind the images"})
    options: tuple[str, ...] = field(default=(), metadata={"help": "options of a multiple-choice question"})
    model: str = field(
        default="tiny-zoom", metadata={"help": "checkpoint: a folder, a hub id or the name of an embedded one"}
    )
    dialect: DialectName | None = field(
        default=None,
        metadata={
            "help": "format of calls and answers: the name of a dialect, with variants after colons (default: the "
            "model's own, as recorded with it or by its model_type)"
        },
    )
    max_turns: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "turns of the episode, including the one that answers (default: as recorded with the model, else "
            "4, which allow three operations)"
        },
    )
    max_images: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "images of the episode, including your own; a video counts as one (default: as recorded with the "
            "model, else 16)"
        },
    )
    max_tokens: AtLeastOne | None = field(
        default=None,
        metadata={
            "help": "tokens of the whole conversation, including images (default: as recorded with the model, else "
            "its positions)"
        },
    )
    max_turn_tokens: AtLeastOne = field(default=512, metadata={"help": "sampled tokens of one turn"})
    temperature: NotNegative = field(default=0.0, metadata={"help": "sampling temperature; 0 is greedy"})
    seed: AtLeastZero = field(default=0, metadata={"help": "seed of sampling"})
    dtype: Precision = field(default="float32", metadata={"help": "precision of the weights"})
    output: str = field(default="runs/ask.html", metadata={"help": "output file, the HTML page"})


def main(argv: list[str]) -> int:
    """`pixel-env ask IMAGE ... "question" [--flags]`. Returns the exit code."""
    config = parse(_named(argv), AskConfig, "ask", usage=USAGE)
    path = Path(config.output)
    check_page(path)
    task = task_of_files(config.images, config.question, config.options)
    known = dialect_of_engine(config.dialect, config.model, engine_named(config.engine))
    limits = known.limits(max_turns=config.max_turns, max_images=config.max_images, max_tokens=config.max_tokens)
    config = dataclasses.replace(config, dialect=known.name, **dataclasses.asdict(limits))
    played, budgets = _played(config, known, limits, task)
    if played.error is not None and not played.turns:
        raise ConfigError(f"the episode failed before the first turn: {played.error}")
    print("\n".join(map(_printable, episode_lines(played, budgets))))
    record = Record(played, "ask", None)
    notice = unread_notice([record], budgets, known.name) or ""
    if notice:
        print(notice)
    run = Run(f"{config.model}: {task.question}", [record], budgets, notice, dataclasses.asdict(config))
    write_page(path, [run], group_reward_named("paper"))
    print(f"Page: {path}")
    return 1 if played.stop is Stop.FAILED else 0


def _named(argv: list[str]) -> list[str]:
    """`argv` with flag names added to the leading words: the images, then the question."""
    count = next((index for index, word in enumerate(argv) if word.startswith("-")), len(argv))
    words, flags = argv[:count], argv[count:]
    if flags and not _FLAG.match(flags[0]):
        raise ConfigError(
            f'{flags[0]!r} is not a flag. Write a question that begins with a dash as --question="{flags[0]}"'
        )
    if not words:
        return argv
    if any(flag.partition("=")[0] == "--question" for flag in flags):
        return ["--images", *words, *flags]
    if len(words) == 1:
        raise ConfigError(
            f"pixel-env ask takes images and then a question, got only {words[0]!r}. "
            'Example: pixel-env ask photo.png "What is on it?"'
        )
    return ["--images", *words[:-1], f"--question={words[-1]}", *flags]


def _played(config: AskConfig, known: ModelDialect, limits: Limits, task: Task) -> tuple[Trajectory, ViewBudgets]:
    dialect = config.shown_dialect(known.dialect)
    choice = config.chosen(config.model, limits, dtype=config.dtype, max_batch=1)
    check_has_model(choice, "ask")
    check_videos(config.engine, dialect, [task])
    if choice.spec.loads_checkpoint:
        limits = within_context(limits, context_of(config.model), repr(config.model))
    engine, chat = engine_chosen(choice, dialect)
    if choice.spec.loads_checkpoint:
        _warn_of_foreign_question(config)
    [played] = rollout(
        [task],
        engine,
        chat,
        settings=EpisodeSettings(dialect, limits, dialect.budgets),
        sampling=Sampling(config.temperature, config.max_turn_tokens),
        seed=config.seed,
    )
    return played.trajectory, dialect.budgets


def _warn_of_foreign_question(config: AskConfig) -> None:
    """Warns that the embedded models answer any question, but were trained on two kinds only."""
    known = {question(colour) for colour in COLOURS for question in (digit_question, half_question)}
    embedded = set(CHECKPOINTS)
    if config.model in embedded and config.question not in known:
        examples = " and ".join(repr(question("red")) for question in (digit_question, half_question))
        print(
            f"{config.model} was trained only on {examples} about images with coloured cards, so its answer to "
            "another question means nothing. Choose another model with --model.",
            file=sys.stderr,
        )


# ------------------------------------------------------------------------------------------------------- as text


def episode_lines(trajectory: Trajectory, budgets: ViewBudgets) -> Iterator[str]:
    """The episode as lines: each turn's text, its action and the result; then the answer and the stop reason."""
    number = 0

    def shown(views: tuple[View, ...]) -> Iterator[str]:
        nonlocal number
        for view in views:
            number += 1
            width, height = shown_size(view, budgets)
            yield f"  image {number}, {view.kind.value.replace('_', ' ')}: shown at {width}x{height} px"

    yield f"Question: {trajectory.task.question}"
    yield from shown(trajectory.prompt_views)
    number_of_turn = 0
    for turn in trajectory.turns:
        if not turn.same_message:
            number_of_turn += 1
            yield f"Turn {number_of_turn}: {turn.text or '(nothing)'}"
        yield f"  {_in_words(turn.action)}"
        if turn.failure is not None:
            yield f"  refused, {turn.failure.code.value}: {turn.failure.message}"
        yield from shown(turn.views)
    yield "No answer." if trajectory.answer is None else f"Answer: {trajectory.answer} (not graded)"
    stop = "running" if trajectory.stop is None else trajectory.stop.value
    yield f"Stopped: {stop}" + ("" if trajectory.error is None else f", {trajectory.error}")


def _in_words(action: Action) -> str:
    """The action of a turn in words. Images and frames count from 1, independent of the dialect."""
    match action:
        case Operation():
            return action.shown()
        case Answer(_):
            return "answers"
        case Text(_):
            return "neither calls nor answers"
        case Malformed(_, _):
            return "a call that cannot be read"


def _printable(text: str) -> str:
    """`text` with control characters escaped, so that a terminal does not act on them; line breaks stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in text)

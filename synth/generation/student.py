"""The student: the model to be trained, whose present abilities decide which traces are needed.

It is used to drop seeds that it answers from the overview, and to sample text-only traces from its right answers.
Depends on its engine, which is loaded only when a result is not stored yet, and on its subfolder; independent of plans'
operations and of verification.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agents.chat.format import ChatFormat
from agents.config.model_dialect import dialect_of_engine
from agents.engines.choice import check_has_model, check_videos, engine_chosen
from agents.engines.protocol import Engine
from agents.rollout import EpisodeSettings, Sampling
from agents.traces.trace import Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.locks import alone_in
from pixel_env.task import TaskSet
from synth.generation.config import GenerationOptions, SynthConfig
from synth.generation.rejection_sampling import Rejected, Sampled, sampled_traces
from synth.plans.plan import Narration, Plan, PlanKind, Refusal, Teacher
from synth.seed_data import AnswersWithoutLooking, KeptAnswers, without_looking

_CHUNK = 64
"""Questions that are sampled together; an interruption loses at most their samples."""


class Student:
    """The model `config.student`. Raises ConfigError for flags that contradict each other."""

    def __init__(self, config: SynthConfig, options: GenerationOptions) -> None:
        self._config = config
        self._folder = Path(options.out) / "student"
        longest = replace(config.limits, max_tokens=options.max_tokens)
        self._choice = options.chosen(config.student, longest, dtype=config.dtype, max_batch=options.max_batch)
        check_has_model(self._choice, "synth")
        dialect_of_engine(config.dialect, config.student, self._choice.spec)  # warns if it was taught another one
        self._loaded: tuple[Engine, ChatFormat] | None = None
        self._sampling = Sampling(config.student_temperature, config.max_turn_tokens)

    def _engine(self) -> tuple[Engine, ChatFormat]:
        """Loaded at the first request, and once."""
        if self._loaded is None:
            self._loaded = engine_chosen(self._choice, self._dialect)
        return self._loaded

    @property
    def _dialect(self) -> Dialect:
        return self._choice.shown_dialect(dialect_named(self._config.dialect))

    def _settings(self, task_set: TaskSet) -> EpisodeSettings:
        dialect = self._dialect
        return EpisodeSettings(dialect, self._config.limits, budgets_for(None, task_set, dialect))

    # --------------------------------------------------------------------------------------------------- seeds

    @contextmanager
    def overview(self) -> Iterator[AnswersWithoutLooking | None]:
        """The overview check of seeds, or None if it is off. One shard runs it, and its results are stored for all."""
        if not self._config.attempts:
            yield None
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with alone_in(self._folder, lambda: _print_error("waiting for another process that runs the student")):
            yield KeptAnswers(self._folder / self._file_name, self._without_looking)

    @property
    def _file_name(self) -> str:
        """A name that depends on everything that influences the results."""
        config = self._config
        seeds = (config.seeds, config.split, config.dialect, config.limits)
        sampled = (config.student, config.dtype, self._sampling, config.attempts, config.seed)
        return f"overview-{hashlib.sha256(repr((seeds, sampled)).encode()).hexdigest()[:12]}.jsonl"

    def _without_looking(self, task_set: TaskSet) -> Sequence[bool]:
        check_videos(self._choice.engine, dialect_named(self._config.dialect), task_set.tasks)
        engine, chat = self._engine()
        check = without_looking(
            engine,
            chat,
            self._settings(task_set),
            self._sampling,
            attempts=self._config.attempts,
            seed=self._config.seed,
            can_ban=self._choice.spec.can_ban_tokens,
        )
        return check(task_set)

    # -------------------------------------------------------------------------------------------- text-only traces

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Trace | Refusal]]:
        """Like a teacher, for text-only plans: the first right sample of each, verbatim, or a refusal."""
        for first in range(0, len(plans), _CHUNK):
            part = plans[first : first + _CHUNK]
            sampled = self._sampled(part, seed)
            indices = {plan.task.task_id: first + offset for offset, plan in enumerate(part)}
            for trace in sampled.traces:
                yield indices[trace.task.task_id], trace
            for task, reason in sampled.unsolved:
                yield indices[task.task_id], _refusal(reason, sampled)

    def _sampled(self, plans: Sequence[Plan], seed: int) -> Sampled:
        engine, chat = self._engine()
        tasks = [plan.task for plan in plans]
        settings, samples = self._settings(TaskSet("text", tasks)), self._config.text_samples
        sampled = sampled_traces(
            tasks, engine, chat, settings=settings, sampling=self._sampling, samples=samples, seed=seed
        )
        if not sampled.traces and set(sampled.rejected) == {Rejected.FAILED}:
            raise ConfigError(
                f"the student {self._config.student!r} gives no answers: {sampled.error} Its answers so far are "
                "stored; the same command resumes from there."
            )
        return sampled


def _refusal(reason: Rejected, sampled: Sampled) -> Refusal:
    has_failed = reason is Rejected.FAILED
    message = sampled.error if has_failed else "no sample is right and suitable for a trace"
    return Refusal(f"sampled_{reason.value}", message, is_final=not has_failed)


class WithStudent:
    """A teacher that leaves text-only questions to the student."""

    def __init__(self, teacher: Teacher, student: Student) -> None:
        self._teacher, self._student = teacher, student

    @property
    def name(self) -> str:
        """The name of the teacher."""
        return self._teacher.name

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Trace | Refusal]]:
        """Yields (index in `plans`, narration, trace or refusal), those of the student first."""
        text_only = [index for index, plan in enumerate(plans) if plan.kind is PlanKind.TEXT_ONLY]
        others = [index for index, plan in enumerate(plans) if plan.kind is not PlanKind.TEXT_ONLY]
        for indices, narrator in ((text_only, self._student), (others, self._teacher)):
            for position, narration in narrator.narrate([plans[index] for index in indices], seed=seed):
                yield indices[position], narration


def student_of(config: SynthConfig, options: GenerationOptions) -> Student | None:
    """The student, or None without --student. Raises ConfigError for flags that contradict each other."""
    if not config.student:
        if config.text_from == "student" or options.base_url is not None:
            flag = "--base_url" if options.base_url is not None else "--text_from student"
            raise ConfigError(f"{flag} needs a student: give its model with --student, or remove {flag}.")
        return None
    if not config.attempts and config.text_from == "teacher":
        raise ConfigError(
            "--student has no effect: give --attempts of at least 1, so that seeds which it answers from the overview "
            "are dropped, or --text_from student, or remove --student."
        )
    samples = config.text_samples if config.text_from == "student" else 1
    if max(config.attempts, samples) > 1 and not config.student_temperature > 0:
        raise ConfigError(
            f"--student_temperature {config.student_temperature} gives identical samples: give a temperature above 0, "
            "or --attempts 1 and --text_samples 1."
        )
    return Student(config, options)


def _print_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

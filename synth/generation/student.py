"""The student: a model that is asked what it can do already, so that traces teach the rest.

It says which seeds it answers without looking, and answers questions of text alone, of which the right answers become
traces. Knows its engine, which is loaded when something is asked that no file tells, and its share of the folder. Knows
nothing of looks, nor of verification.
"""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agents.chat.format import ChatFormat
from agents.engines.choice import check_has_model, check_videos, engine_chosen
from agents.engines.protocol import Engine
from agents.rollout import EpisodeSettings, Sampling
from agents.traces.trace import Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.locks import alone_in
from pixel_env.task import TaskSet
from synth.generation.config import Making, SynthConfig
from synth.generation.rejection_sampling import Rejected, Sampled, sampled_traces
from synth.plans.plan import Narration, Plan, PlanKind, Refusal, Teacher
from synth.seed_data import AnswersWithoutLooking, KeptAnswers, without_looking

_AT_A_TIME = 64
"""Questions whose samples are drawn together; a kill loses no more than theirs."""


class Student:
    """The model `config.student`. Raises ConfigError for flags that do not go together."""

    def __init__(self, config: SynthConfig, making: Making) -> None:
        self._config = config
        self._folder = Path(making.out) / "student"
        longest = replace(config.limits, max_tokens=making.max_tokens)
        self._choice = making.chosen(config.student, longest, dtype=config.dtype, max_batch=making.max_batch)
        check_has_model(self._choice, "synth")
        self._loaded: tuple[Engine, ChatFormat] | None = None
        self._sampling = Sampling(config.student_temperature, config.max_turn_tokens)

    def _engine(self) -> tuple[Engine, ChatFormat]:
        """Loaded at the first request, and once."""
        if self._loaded is None:
            self._loaded = engine_chosen(self._choice, dialect_named(self._config.dialect))
        return self._loaded

    def _settings(self, task_set: TaskSet) -> EpisodeSettings:
        dialect = dialect_named(self._config.dialect)
        return EpisodeSettings(dialect, self._config.limits, budgets_for(None, task_set, dialect))

    # --------------------------------------------------------------------------------------------------- seeds

    @contextmanager
    def overview(self) -> Iterator[AnswersWithoutLooking | None]:
        """The check of seeds, None if it is not wanted. Its answers are kept for all shards, one of which asks."""
        if not self._config.attempts:
            yield None
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with alone_in(self._folder, lambda: _say("waiting for another process that asks the student")):
            yield KeptAnswers(self._folder / self._file_name, self._without_looking)

    @property
    def _file_name(self) -> str:
        """Another one for whatever asks otherwise."""
        config = self._config
        seeds = (config.seeds, config.split, config.dialect, config.limits)
        asked = (config.student, config.dtype, self._sampling, config.attempts, config.seed)
        return f"overview-{hashlib.sha256(repr((seeds, asked)).encode()).hexdigest()[:12]}.jsonl"

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
        """As a teacher, of plans of text alone: the first right sample of each, verbatim, or why there is none."""
        for first in range(0, len(plans), _AT_A_TIME):
            part = plans[first : first + _AT_A_TIME]
            sampled = self._sampled(part, seed)
            places = {plan.task.task_id: first + place for place, plan in enumerate(part)}
            for trace in sampled.traces:
                yield places[trace.task.task_id], trace
            for task, reason in sampled.unsolved:
                yield places[task.task_id], _refusal(reason, sampled)

    def _sampled(self, plans: Sequence[Plan], seed: int) -> Sampled:
        engine, chat = self._engine()
        tasks = [plan.task for plan in plans]
        settings, samples = self._settings(TaskSet("text", tasks)), self._config.text_samples
        sampled = sampled_traces(
            tasks, engine, chat, settings=settings, sampling=self._sampling, samples=samples, seed=seed
        )
        if not sampled.traces and set(sampled.rejected) == {Rejected.FAILED}:
            raise ConfigError(
                f"the student {self._config.student!r} gives no answers: {sampled.error} What it has said so far is "
                "kept; the same command goes on from there."
            )
        return sampled


def _refusal(reason: Rejected, sampled: Sampled) -> Refusal:
    has_failed = reason is Rejected.FAILED
    message = sampled.error if has_failed else "no sample is right and fit for a trace"
    return Refusal(f"sampled_{reason.value}", message, is_final=not has_failed)


class WithStudent:
    """A teacher that leaves questions of text alone to the student."""

    def __init__(self, teacher: Teacher, student: Student) -> None:
        self._teacher, self._student = teacher, student

    @property
    def name(self) -> str:
        """The teacher's own."""
        return self._teacher.name

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Trace | Refusal]]:
        """Each plan's place and what was said, the student's first."""
        of_text = [place for place, plan in enumerate(plans) if plan.kind is PlanKind.TEXT_ONLY]
        others = [place for place, plan in enumerate(plans) if plan.kind is not PlanKind.TEXT_ONLY]
        for asked, speaker in ((of_text, self._student), (others, self._teacher)):
            for place, said in speaker.narrate([plans[place] for place in asked], seed=seed):
                yield asked[place], said


def student_of(config: SynthConfig, making: Making) -> Student | None:
    """The student if one is wanted. Raises ConfigError for flags that do not go together."""
    if not config.student:
        if config.text_from == "student" or making.base_url is not None:
            flag = "--base_url" if making.base_url is not None else "--text_from student"
            raise ConfigError(f"{flag} is about a student: name the model with --student, or leave it out.")
        return None
    if not config.attempts and config.text_from == "teacher":
        raise ConfigError(
            "The student has nothing to do: give --attempts of 1 or more, so that seeds which it answers without "
            "looking are left out, or --text_from student, or no --student."
        )
    samples = config.text_samples if config.text_from == "student" else 1
    if max(config.attempts, samples) > 1 and not config.student_temperature > 0:
        raise ConfigError(
            f"--student_temperature {config.student_temperature} samples the same every time: give one above 0, or "
            "--attempts 1 and --text_samples 1."
        )
    return Student(config, making)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

"""`pixel-env synth`: from annotated seed data to a verified data set of demonstrations (traces).

Every outcome of a plan is written to the folder's journal at once, and the data set is written from the journal in the
order of the plans: a command that is interrupted at any moment and started again gives the same bytes as one that is
not. Depends on teachers and folders; independent of training.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.engines.address import checked_address
from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import RunFolder
from agents.traces.folder import common_folder, write_trace_folder
from pixel_env.errors import ConfigError, MissingExtraError
from synth.generation.checking import executor_of
from synth.generation.config import SILENT, TEMPLATE, GenerationOptions, SynthConfig, expert_config, parsed
from synth.generation.data_card import (
    ATTRIBUTION,
    CARD,
    Facts,
    attribution,
    data_card,
    is_embedded,
    left_out,
    mix_table,
    release,
)
from synth.generation.job import Job
from synth.generation.outcomes import JOURNAL
from synth.generation.student import student_of
from synth.plans.plan import Teacher
from synth.teachers.expert.usage import Usage
from synth.teachers.silent import SilentTeacher
from synth.teachers.template.teacher import TemplateTeacher

if TYPE_CHECKING:
    from synth.judge.judge import TraceJudge

_FEWER = 1


def main(argv: list[str]) -> int:
    """`pixel-env synth [--flags]`; 0, or 1 if fewer traces were kept than requested."""
    config, options = parsed(argv)
    (teacher, usage), student = teacher_of(config, options), student_of(config, options)
    recorded = [config, _RecordedTeacher(teacher.name, release(), config.judge_model)]
    judge = judge_of(config, options)
    whole = None if options.part is None else Path(options.out)
    another = "another --output_dir"
    with RunFolder.claimed(options.folder, recorded, resumes=True, whole=whole, another=another) as folder:
        job = Job(config, folder.path, teacher, student, judge)
        folder.keep_configuration()  # only now: a folder must not be bound to seeds that do not suffice
        return _generate(config, options, job, folder, usage, judge)


def _generate(
    config: SynthConfig,
    options: GenerationOptions,
    job: Job,
    folder: RunFolder,
    usage: Usage | None,
    judge: "TraceJudge | None",
) -> int:
    started = time.monotonic()
    try:
        with executor_of(options.processes) as executor:
            if options.part is None:
                job.merge(folder.shards(JOURNAL))
                job.make_all(executor)
            else:
                job.make(options.part.of(range(config.count)), executor)
    finally:
        if usage is not None:
            print(f"teacher {job.teacher.name}: {usage.with_earlier}", flush=True)
        if judge is not None:
            print(f"judge {judge.model}: {judge.usage.with_earlier}", flush=True)
    seconds = time.monotonic() - started
    print(f"{job.made} plans narrated and verified in {seconds:.1f} s ({job.made / max(seconds, 1e-9):.1f} per second)")
    if options.part is not None:
        print(f"Shard {options.shard} is in {job.folder}; run without --shard to merge the shards.")
        return 0
    facts = job.facts
    for (medium, kind), shortage in job.shortages.items():
        missing = f"{shortage.missing} of {job.wanted[medium, kind]} {kind.value} traces ({medium})"
        print(
            f"warning: {missing} are missing: {shortage.reason} The last plan was dropped for: {shortage.last_dropped}",
            file=sys.stderr,
        )
    write_data_set(job.folder, facts)
    print(f"\n{mix_table(facts)}\n\n{left_out(facts)}\n\n{len(facts.traces)} of {config.count} traces: {job.folder}")
    return 0 if len(facts.traces) == config.count else _FEWER


BUILT_IN_TEACHERS: dict[str, Callable[[], Teacher]] = {TEMPLATE: TemplateTeacher, SILENT: SilentTeacher}
"""The teachers that need no model, by the value of `--teacher`."""


def teacher_of(config: SynthConfig, options: GenerationOptions) -> tuple[Teacher, Usage | None]:
    """The teacher, and its usage if it is behind an endpoint.

    Raises ConfigError, or MissingExtraError if the client of the endpoint is not installed.
    """
    if options.teacher in BUILT_IN_TEACHERS:
        return BUILT_IN_TEACHERS[options.teacher](), None
    if "://" not in options.teacher:
        names = ", ".join(map(repr, BUILT_IN_TEACHERS))
        raise ConfigError(f"--teacher must be one of {names}, or the URL of an endpoint; got {options.teacher!r}.")
    try:
        from synth.teachers.expert.teacher import ExpertTeacher  # only an endpoint needs the client
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("a teacher behind an endpoint", "endpoint") from error
    expert = ExpertTeacher(expert_config(config, options))
    return expert, expert.usage


def judge_of(config: SynthConfig, options: GenerationOptions) -> "TraceJudge | None":
    """The judge of verified traces, if one is given.

    Raises ConfigError for half of its flags, or MissingExtraError if the client of the endpoint is not installed.
    """
    if options.judge is None and not config.judge_model:
        return None
    if options.judge is None or not config.judge_model:
        raise ConfigError(
            "a judge needs its address and its name: give --judge URL and --judge_model NAME, or neither of them."
        )
    checked_address(options.judge, "--judge")
    try:
        from synth.judge.judge import TraceJudge  # only an endpoint needs the client
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("a judge behind an endpoint", "endpoint") from error
    return TraceJudge(options.judge, config.judge_model, options.judge_concurrency, Path(options.out) / "judge")


@dataclass(frozen=True)
class _RecordedTeacher:
    """Recorded in the folder beside the configuration; another teacher, release or judge is refused."""

    teacher: str
    release: str
    verified_by: str


def write_data_set(folder: Path, facts: Facts) -> None:
    """Writes traces, tasks and card; the same facts give the same bytes."""
    write_trace_folder(folder, facts.traces, facts.task_set, common_folder(facts.traces))
    write_whole(folder / CARD, data_card(facts))
    if is_embedded(facts.config):
        write_whole(folder / ATTRIBUTION, attribution())

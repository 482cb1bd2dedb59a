"""`pixel-env synth`: from annotated seeds to a verified data set of traces.

Every outcome of a plan is in the folder's journal as soon as it is known, and the data set is written from the journal,
in the order of the plans: a command that was killed at any moment, started again, gives the same bytes as one that was
not. Knows teachers and folders; knows nothing of training.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import RunFolder
from agents.traces.folder import common_folder, write_trace_folder
from pixel_env.errors import ConfigError, MissingExtraError
from synth.generation.checking import executor_of
from synth.generation.config import SILENT, TEMPLATE, Making, SynthConfig, expert_config, parsed
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
from synth.teachers.expert.usage import Bill
from synth.teachers.silent import SilentTeacher
from synth.teachers.template.teacher import TemplateTeacher

_FEWER = 1


def main(argv: list[str]) -> int:
    """`pixel-env synth [--flags]`; 0, or 1 if fewer traces were kept than asked for."""
    config, making = parsed(argv)
    (teacher, bill), student = teacher_of(config, making), student_of(config, making)
    recorded = [config, _Voice(teacher.name, release())]
    whole = None if making.part is None else Path(making.out)
    another = "another --output_dir"
    with RunFolder.claimed(making.folder, recorded, resumes=True, whole=whole, another=another) as folder:
        job = Job(config, folder.path, teacher, student)
        folder.keep_configuration()  # not before: seeds that do not suffice would bind the folder to them
        return _made(config, making, job, folder, bill)


def _made(config: SynthConfig, making: Making, job: Job, folder: RunFolder, bill: Bill | None) -> int:
    started = time.monotonic()
    try:
        with executor_of(making.processes) as executor:
            if making.part is None:
                job.take_over(folder.shards(JOURNAL))
                job.make_all(executor)
            else:
                job.make(making.part.of(range(config.count)), executor)
    finally:
        if bill is not None:
            print(f"teacher {job.teacher.name}: {bill.in_full}", flush=True)
    seconds = time.monotonic() - started
    print(f"{job.made} plans narrated and verified in {seconds:.1f} s ({job.made / max(seconds, 1e-9):.1f} per second)")
    if making.part is not None:
        print(f"Shard {making.shard} is in {job.folder}; run without --shard to merge the shards.")
        return 0
    facts = job.facts
    for (medium, kind), shortage in job.shortages.items():
        wanted = f"{shortage.missing} of {job.wanted[medium, kind]} {kind.value} traces ({medium})"
        print(
            f"warning: {wanted} are missing: {shortage.reason} The last one was dropped as {shortage.last_dropped}",
            file=sys.stderr,
        )
    write_data_set(job.folder, facts)
    print(f"\n{mix_table(facts)}\n\n{left_out(facts)}\n\n{len(facts.traces)} of {config.count} traces: {job.folder}")
    return 0 if len(facts.traces) == config.count else _FEWER


OWN_TEACHERS: dict[str, Callable[[], Teacher]] = {TEMPLATE: TemplateTeacher, SILENT: SilentTeacher}
"""Those that need no model."""


def teacher_of(config: SynthConfig, making: Making) -> tuple[Teacher, Bill | None]:
    """Who narrates, and what it costs. Raises ConfigError, or MissingExtraError for an endpoint without its client."""
    if making.teacher in OWN_TEACHERS:
        return OWN_TEACHERS[making.teacher](), None
    if "://" not in making.teacher:
        own = ", ".join(map(repr, OWN_TEACHERS))
        raise ConfigError(f"--teacher is one of {own}, or the address of an endpoint; got {making.teacher!r}.")
    try:
        from synth.teachers.expert.teacher import ExpertTeacher  # the client is wanted for an endpoint alone
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("a teacher behind an endpoint", "endpoint") from error
    expert = ExpertTeacher(expert_config(config, making))
    return expert, expert.bill


@dataclass(frozen=True)
class _Voice:
    teacher: str
    release: str


def write_data_set(folder: Path, facts: Facts) -> None:
    """Writes traces, tasks and card; the same facts give the same bytes."""
    write_trace_folder(folder, facts.traces, facts.task_set, common_folder(facts.traces))
    write_whole(folder / CARD, data_card(facts))
    if is_embedded(facts.config):
        write_whole(folder / ATTRIBUTION, attribution())

"""`pixel-env synth`: from annotated seeds to a verified data set of traces.

Every outcome of a plan is in the folder's journal as soon as it is known, and the data set is written from the journal,
in the order of the plans: a command that was killed at any moment, started again, gives the same bytes as one that was
not. Knows teachers and folders; knows nothing of training.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.run_folder import keep_configuration, write_whole
from agents.trace_folder import write_trace_folder
from agents.traces import Trace
from pixel_env.errors import ConfigError
from pixel_env.media import FileSource
from pixel_env.tasks.clips import ClipFrame
from synth.checking import executor_of
from synth.data_card import ATTRIBUTION, CARD, Facts, attribution, data_card, is_embedded, left_out, mix_table
from synth.expert_bill import Bill
from synth.generate_config import TEMPLATE, Making, SynthConfig, expert_config, parsed
from synth.job import Job
from synth.plans import Teacher
from synth.template_teacher import TemplateTeacher

_FEWER = 1


def main(argv: list[str]) -> int:
    """`pixel-env synth [--flags]`; 0, or 1 if fewer traces were kept than asked for."""
    config, making = parsed(argv)
    teacher = teacher_of(config, making)
    keep_files(making.folder, config, teacher)
    job = Job(config, making.folder, teacher)
    started = time.monotonic()
    with executor_of(making.processes) as executor:
        if making.part is None:
            job.take_over_shards()
            job.make_all(executor)
        else:
            job.make(making.part.of(range(config.count)), executor)
    seconds = time.monotonic() - started
    print(f"{job.made} plans narrated and verified in {seconds:.1f} s ({job.made / max(seconds, 1e-9):.1f} per second)")
    if isinstance(bill := getattr(teacher, "bill", None), Bill):
        print(f"teacher {teacher.name}: {bill}")
    if making.part is not None:
        print(f"Part {making.shard} is in {job.folder}; the command without --shard takes the parts over.")
        return 0
    facts = job.facts
    write_data_set(job.folder, facts)
    print(f"\n{mix_table(facts)}\n\n{left_out(facts)}\n\n{len(facts.traces)} of {config.count} traces: {job.folder}")
    return 0 if len(facts.traces) == config.count else _FEWER


def teacher_of(config: SynthConfig, making: Making) -> Teacher:
    """Who narrates. Raises ConfigError, or MissingExtraError for an endpoint without its client."""
    if making.teacher == TEMPLATE:
        return TemplateTeacher()
    if "://" not in making.teacher:
        raise ConfigError(f"--teacher is {TEMPLATE!r} or the address of an endpoint, got {making.teacher!r}.")
    from synth.expert import ExpertTeacher

    return ExpertTeacher(expert_config(config, making))


@dataclass(frozen=True)
class _Voice:
    teacher: str


def keep_files(folder: Path, config: SynthConfig, teacher: Teacher) -> None:
    """Keeps the configuration. Raises ConfigError for a folder made with another one, or that cannot be written."""
    try:
        keep_configuration(folder, [config, _Voice(teacher.name)], resumes=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another --out.") from error


def write_data_set(folder: Path, facts: Facts) -> None:
    """Writes traces, tasks and card; the same facts give the same bytes."""
    write_trace_folder(folder, facts.traces, facts.task_set, common_folder(facts.traces))
    write_whole(folder / CARD, data_card(facts))
    if is_embedded(facts.config):
        write_whole(folder / ATTRIBUTION, attribution())


def common_folder(traces: Sequence[Trace]) -> Path | None:
    """The deepest folder that holds every file that the traces show; None if they show no file."""
    folders = {
        str(source.path.resolve().parent)
        for trace in traces
        for source in trace.task.sources
        if isinstance(source, FileSource | ClipFrame)
    }
    return Path(os.path.commonpath(folders)) if folders else None

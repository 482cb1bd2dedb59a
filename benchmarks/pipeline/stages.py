"""Stages of a run, executed in order; each finished one is recorded in the run folder.

An interrupted run resumes from the first stage that is not recorded. Depends on folders, wall time and memory;
independent of what a stage does.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import remove_unclaimed
from benchmarks.pipeline.jobs import Job, run_jobs
from benchmarks.pipeline.memory import PeakMemory

RECORD = "stages.json"


@dataclass(frozen=True)
class Stage:
    """Jobs that run in parallel, then `after` in this process; the text that `after` returns is printed."""

    name: str
    title: str
    jobs: tuple[Job, ...] = ()
    after: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Cost of a finished stage: wall seconds, and the peak resident memory of all processes together."""

    seconds: float
    peak_memory_gb: float


def finished_stages(run: Path) -> dict[str, Finished]:
    """The finished stages of the run, in their order."""
    path = run / RECORD
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {name: Finished(**row) for name, row in rows.items()}


def run_stages(stages: Sequence[Stage], run: Path) -> dict[str, Finished]:
    """Runs the stages that are not finished. Raises JobError; the stages finished so far stay recorded."""
    finished = finished_stages(run)
    for number, stage in enumerate(stages, start=1):
        head = f"[{number}/{len(stages)}] {stage.title}"
        if stage.name in finished:
            print(f"{head}: finished before, {finished[stage.name].seconds:.0f} s", flush=True)
            if stage.after is not None:
                _print(stage.after())
            continue
        # A stage that runs again makes everything after it out of date.
        later = [other.name for other in stages[number - 1 :]]
        finished = {name: row for name, row in finished.items() if name not in later}
        _record(run, finished)
        print(head, flush=True)
        finished[stage.name] = _run(stage)
        _record(run, finished)
    return finished


def _run(stage: Stage) -> Finished:
    start = time.monotonic()
    with PeakMemory() as memory:
        for job in stage.jobs:
            remove_unclaimed(job.folder)  # left by an interrupted start
        if stage.jobs:
            workers, threads = division_of_work(len(stage.jobs), usable_cores())
            run_jobs(stage.jobs, workers=workers, threads=threads)
        if stage.after is not None:
            _print(stage.after())
    return Finished(round(time.monotonic() - start, 1), round(memory.peak_gb, 3))


def division_of_work(jobs: int, cores: int) -> tuple[int, int]:
    """Parallel jobs, and threads of each. The model is small: more than two of either do not make it faster."""
    if jobs == 1 or cores == 1:
        return 1, min(2, cores)
    return 2, 1


def usable_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _print(text: str) -> None:
    if text:
        print(text, flush=True)


def _record(run: Path, finished: dict[str, Finished]) -> None:
    run.mkdir(parents=True, exist_ok=True)
    rows = {name: asdict(row) for name, row in finished.items()}
    write_whole(run / RECORD, json.dumps(rows, indent=2) + "\n")

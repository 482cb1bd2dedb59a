"""Jobs: `pixel-env` commands in subprocesses, several in parallel, each with a progress bar.

A job is a command and its recipe, a YAML file from which it can also be started by hand. Its output goes to a log
file. Its progress is read from the log of its training (`agents/run_log/log.py`) or, for other commands, from the
command's own progress bar in its output. Depends on processes, threads and bars; independent of what a command does.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from tqdm import tqdm

from agents.run_log.log import LogRow, last_step
from pixel_env.errors import PixelEnvError

RECIPE = "recipe.yaml"
LOG = "log.txt"
PARENT = "PIXEL_ENV_PARENT"
"""The environment variable with the process id of the job's parent."""
_TAIL_BYTES = 20_000
_POLL_S = 0.3


class JobError(PixelEnvError):
    """A job failed. The message ends with the last lines of its log."""


@dataclass(frozen=True)
class Job:
    """`pixel-env COMMAND --config FOLDER/recipe.yaml`.

    `steps`: the optimizer steps of a training, or the total of the command's own progress bar; `figures`: metrics of a
    training that are shown beside the bar, as label -> name of the logged metric.
    """

    title: str
    command: str
    recipe: Mapping[str, object]
    folder: Path
    steps: int
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The log file with all output of the command."""
        return self.folder / LOG


def run_jobs(jobs: Sequence[Job], *, workers: int, threads: int) -> None:
    """Runs all jobs, at most `workers` at a time with `threads` threads each. Raises JobError if one fails.

    After an exception no job is still running.
    """
    waiting = deque(enumerate(jobs))
    running: dict[int, subprocess.Popen[bytes]] = {}
    with _bars(jobs) as bars, _ended(running):
        while waiting or running:
            while waiting and len(running) < workers:
                index, job = waiting.popleft()
                with _undisturbed():  # every started job is in `running`, so it is ended
                    running[index] = _start(job, threads)
            time.sleep(_POLL_S)
            for index, process in list(running.items()):
                _show_progress(jobs[index], bars[index])
                if process.poll() is None:
                    continue
                del running[index]
                if process.returncode != 0:
                    raise JobError(_failure(jobs[index], process.returncode))
                bars[index].update(jobs[index].steps - bars[index].n)


def _start(job: Job, threads: int) -> "subprocess.Popen[bytes]":
    job.folder.mkdir(parents=True, exist_ok=True)
    recipe = job.folder / RECIPE
    recipe.write_text(f"# pixel-env {job.command} --config {recipe}\n{yaml.safe_dump(dict(job.recipe))}", "utf-8")
    with job.log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pipeline.child", job.command, "--config", str(recipe)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment(os.environ, threads),
            start_new_session=True,  # only the parent receives Ctrl-C; it ends its children
        )


def child_environment(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """The environment of a job: so many threads, one GPU at most, no hub and no telemetry."""
    devices = environment.get("CUDA_VISIBLE_DEVICES", "0")
    return {
        **environment,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "CUDA_VISIBLE_DEVICES": devices.split(",")[0],  # with several, the trainer would use DataParallel
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "PYTHONUNBUFFERED": "1",
        PARENT: str(os.getpid()),
    }


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Delays SIGINT and SIGTERM to the end of the block. Other threads than the main one do not receive them."""
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for late in arrived:
        signal.raise_signal(late)


@contextmanager
def _ended(running: "dict[int, subprocess.Popen[bytes]]") -> Iterator[None]:
    """Ends all processes that are still in `running` at the end: SIGTERM first, SIGKILL after ten seconds."""
    try:
        yield
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _bars(jobs: Sequence[Job]) -> "Iterator[list[tqdm[object]]]":
    width = max(len(job.title) for job in jobs)
    # A terminal is updated often; a log file gets a line every 30 seconds.
    interval = 0.5 if sys.stderr.isatty() else 30.0
    bars = [
        tqdm(total=job.steps, desc=job.title.ljust(width), position=index, mininterval=interval, leave=True)
        for index, job in enumerate(jobs)
    ]
    try:
        yield bars
    finally:
        for bar in bars:
            bar.close()


def _show_progress(job: Job, bar: "tqdm[object]") -> None:
    row = last_step(job.folder)
    steps = progress_in(_tail(job.log), job.steps) if row is None else row.step
    if steps > bar.n:
        if row is not None:
            bar.set_postfix(shown_figures(row, job.figures), refresh=False)
        bar.update(steps - bar.n)


def progress_in(log: str, total: int) -> int:
    """The steps done, from the last progress bar with this `total` in the log."""
    matches = re.findall(rf"\b(\d+)/{total} \[", log)
    return int(matches[-1]) if matches else 0


def shown_figures(row: LogRow, names: Mapping[str, str]) -> dict[str, str]:
    """The metrics of the row that have a value, by label, with two decimals. `names`: label -> metric."""
    return {label: f"{row.metrics[name]:.2f}" for label, name in names.items() if name in row.metrics}


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - _TAIL_BYTES))
        return file.read().decode(errors="replace")


def _failure(job: Job, code: int) -> str:
    lines = _tail(job.log).replace("\r", "\n").splitlines()
    end = "\n".join(line for line in lines if line.strip())[-2000:]
    return f"{job.title} failed (pixel-env {job.command}, exit code {code}). The end of {job.log}:\n{end}"

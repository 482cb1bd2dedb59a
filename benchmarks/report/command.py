"""`pixel-env report RUN`: writes the page of a run and, with `--serve`, serves it and keeps it up to date.

Depends on the pages of a training run and of the demo; independent of their contents.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from agents.config.arguments import parse
from agents.run_folder.configuration import write_whole
from benchmarks.demo import report as demo_report
from benchmarks.report.page import page
from benchmarks.report.run import read_training
from benchmarks.studies.trap.findings import findings_of
from benchmarks.view.page import check_page
from benchmarks.view.server import serve
from pixel_env.command_line.values import Bounds
from pixel_env.errors import ConfigError

PAGE = "report.html"
REFRESH_S = 10
"""Seconds after which the browser loads a served page of a running training again."""


@dataclass(frozen=True)
class ReportConfig:
    """Write an HTML page about a run of sft, grpo or demo, finished or not."""

    run: str = field(default="runs/demo", metadata={"help": "folder of the run; --run may be left out"})
    output: str | None = field(
        default=None, metadata={"help": "output file, the HTML page (default: report.html in the folder of the run)"}
    )
    serve: bool = field(
        default=False, metadata={"help": "then serve the page, to this machine alone; it follows a running training"}
    )
    port: Annotated[int, Bounds(0, 65535)] = field(
        default=8000, metadata={"help": "port of the served page; 0: any free one"}
    )


def main(argv: list[str]) -> int:
    """`pixel-env report RUN [--flags]`. Returns the exit code."""
    named = ["--run", *argv] if argv and not argv[0].startswith("-") else argv
    config = parse(named, ReportConfig, "report", usage="[RUN] [--config FILE] [--NAME VALUE ...]")
    run = Path(config.run)
    path = run / PAGE if config.output is None else Path(config.output)
    if not run.is_dir():
        raise ConfigError(f"{run} is no run: there is no such folder. Give the --output_dir of sft, grpo or demo.")
    write = writer_of(run, path, is_served=config.serve)
    check_page(path)
    write()
    print(f"Report: {path}")
    if config.serve:
        serve(path, config.port, before=write)
    return 0


def writer_of(run: Path, path: Path, *, is_served: bool) -> Callable[[], None]:
    """What writes the page of the run as it is now. Raises ConfigError if the folder is no run."""
    if demo_report.is_demo(run):
        findings = findings_of(run)
        return lambda: write_whole(path, demo_report.page(run, findings))
    read_training(run)
    return partial(_write_training, run, path, is_served)


def _write_training(run: Path, path: Path, is_served: bool) -> None:
    training = read_training(run)
    refreshes = is_served and not training.is_finished
    try:
        write_whole(path, page(training, refresh_s=REFRESH_S if refreshes else None))
    except OSError as error:
        raise ConfigError(f"the page cannot be written to {path}: {error.strerror}. Give another --output.") from error

"""`pixel-env view RUN`: writes the page of an evaluation (`page.py`), and serves it if that is wanted.

Depends on the page and its server; independent of what is shown and how.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from agents.config.arguments import parse
from benchmarks.view.page import PAGE, check_page, read_run, write_page
from benchmarks.view.rows import identity
from benchmarks.view.server import serve
from pixel_env.errors import ConfigError
from rewards.shaping import PRESETS, group_reward_named


@dataclass(frozen=True)
class ViewConfig:
    """Write a page on which the trajectories of a run can be looked at."""

    run: str = field(default="runs/eval", metadata={"help": "folder of an evaluation; may stand first, without --run"})
    output: str | None = field(default=None, metadata={"help": "the page; None: view.html in the run's folder"})
    other: str | None = field(default=None, metadata={"help": "folder of a second evaluation, shown beside the first"})
    limit: int | None = field(default=None, metadata={"help": "show so many questions, the first ones; None: all"})
    group_reward: str = field(
        default="paper",
        metadata={"help": f"reward of the rollouts of a question: {', '.join(PRESETS)} or your own 'module:function'"},
    )
    serve: bool = field(default=False, metadata={"help": "then show the page at an address, on this machine alone"})
    port: int = field(default=8000, metadata={"help": "of that address; 0: any free one"})


def main(argv: list[str]) -> int:
    """`pixel-env view RUN [--flags]`. Returns the exit code."""
    named = ["--run", *argv] if argv and not argv[0].startswith("-") else argv
    config = parse(named, ViewConfig, "view")
    if config.limit is not None and config.limit < 1:
        raise ConfigError(f"--limit is the number of questions to show and must be at least 1, got {config.limit}")
    path = Path(config.run) / PAGE if config.output is None else Path(config.output)
    check_page(path)
    group_reward = group_reward_named(config.group_reward)
    folders = [Path(config.run)] + ([] if config.other is None else [Path(config.other)])
    runs = [read_run(folder, limit=config.limit) for folder in folders]
    if not set.intersection(*({identity(record) for record in run.records} for run in runs)):
        print("The two runs share no rollout (policy, question, number): none stands beside another.", file=sys.stderr)
    unreadable = write_page(path, runs, group_reward)
    if unreadable:
        print(f"{len(unreadable)} pictures cannot be shown. The first: {unreadable[0]}", file=sys.stderr)
    print(f"{sum(len(run.records) for run in runs)} trajectories: {path}")
    if config.serve:
        serve(path, config.port)
    return 0

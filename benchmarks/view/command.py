"""`pixel-env view RUN`: writes the page of an evaluation or a training (`page.py`) and, with `--serve`, serves it.

Depends on the page and its server; independent of the page's contents and style.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from agents.config.arguments import parse
from agents.config.names import RewardName
from benchmarks.evaluation.recorded import Outside
from benchmarks.view.page import PAGE, check_page, read_run, write_page
from benchmarks.view.rows import identity
from benchmarks.view.server import serve
from pixel_env.command_line.values import AtLeastOne, Bounds
from rewards.shaping import PRESETS, group_reward_named


@dataclass(frozen=True)
class ViewConfig:
    """Write an HTML page that shows the trajectories of an evaluation, or those that a training kept."""

    run: str = field(
        default="runs/eval", metadata={"help": "folder of an evaluation or of a GRPO run; --run may be left out"}
    )
    output: str | None = field(
        default=None, metadata={"help": "output file, the HTML page (default: view.html in the folder of the run)"}
    )
    other: str | None = field(
        default=None, metadata={"help": "folder of a second one, shown side by side with the first"}
    )
    limit: AtLeastOne | None = field(default=None, metadata={"help": "use only so many questions, the first ones"})
    group_reward: RewardName = field(
        default="paper",
        metadata={
            "help": f"reward of the rollouts of a question: {', '.join(PRESETS)} or 'module:function'; rollouts of a "
            "training are shown with their own"
        },
    )
    media_root: str | None = field(
        default=None,
        metadata={"help": "folder in which the run's images may lie besides that of its task set"},
    )
    follow_links: bool = field(
        default=False, metadata={"help": "allow links to images to lead out of the folder of the task set"}
    )
    serve: bool = field(default=False, metadata={"help": "then serve the page, to this machine alone"})
    port: Annotated[int, Bounds(0, 65535)] = field(
        default=8000, metadata={"help": "port of the served page; 0: any free one"}
    )


def main(argv: list[str]) -> int:
    """`pixel-env view RUN [--flags]`. Returns the exit code."""
    named = ["--run", *argv] if argv and not argv[0].startswith("-") else argv
    config = parse(named, ViewConfig, "view", usage="[RUN] [--config FILE] [--NAME VALUE ...]")
    path = Path(config.run) / PAGE if config.output is None else Path(config.output)
    check_page(path)
    group_reward = group_reward_named(config.group_reward)
    folders = [Path(config.run)] + ([] if config.other is None else [Path(config.other)])
    outside = Outside(config.follow_links, config.media_root)
    runs = [read_run(folder, limit=config.limit, outside=outside) for folder in folders]
    if not set.intersection(*({identity(record) for record in run.records} for run in runs)):
        print(
            "The two runs share no rollout (policy, question, number), so none is shown side by side.",
            file=sys.stderr,
        )
    unreadable = write_page(path, runs, group_reward)
    if unreadable:
        print(f"{len(unreadable)} images cannot be shown. The first: {unreadable[0]}", file=sys.stderr)
    print(f"{sum(len(run.records) for run in runs)} trajectories: {path}")
    if config.serve:
        serve(path, config.port)
    return 0

"""`pixel-env audit RUN`: where crops came from, and what the texts of a run say beside what was executed.

Depends on the readers of runs, the figures and how they are written; independent of models.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from agents.config.arguments import parse
from agents.config.names import DialectName
from agents.run_folder.configuration import write_whole
from benchmarks.audit.figures import Audit, audit_of, to_row
from benchmarks.audit.inputs import read_run
from benchmarks.audit.page import write_page
from benchmarks.audit.tables import text_of
from benchmarks.audit.units import OWN, asked_coordinates, asking_in, limits_of
from benchmarks.audit.worst import worst_crops
from benchmarks.evaluation.recorded import Outside
from benchmarks.view.page import check_page
from pixel_env.command_line.values import AtLeastZero, NameOf
from pixel_env.errors import ConfigError

_REPORTED = 10


@dataclass(frozen=True)
class AuditConfig:
    """Audit the crops and texts of a run: asked for, delivered, refused, repeated, misread."""

    run: str = field(
        default="runs/eval",
        metadata={
            "help": "folder of an evaluation, lmms-eval samples (file or folder), or a file of message lists; "
            "--run may be left out"
        },
    )
    asked: Annotated[str, NameOf(asked_coordinates)] = field(
        default=OWN,
        metadata={
            "help": "unit in which the model means its numbers: dialect (as the tool reads them), shown or pixel "
            "(pixels as shown), source_pixel, fraction, grid:N"
        },
    )
    dialect: DialectName = field(
        default="", metadata={"help": "dialect of the calls (default: the one that the folder records)"}
    )
    tasks: str = field(
        default="",
        metadata={"help": "task set of samples or message lists, for their images, answers and evidence"},
    )
    media_root: str | None = field(
        default=None,
        metadata={"help": "folder in which the run's images may lie besides that of its task set"},
    )
    follow_links: bool = field(
        default=False, metadata={"help": "allow links to images to lead out of the folder of the task set"}
    )
    worst: AtLeastZero = field(default=6, metadata={"help": "how many of the worst crops to list and to draw"})
    output: Path | None = field(default=None, metadata={"help": "output file with all figures, as JSON"})
    page: Path | None = field(default=None, metadata={"help": "output file with tables and pictures, an HTML page"})


def main(argv: list[str]) -> int:
    """`pixel-env audit RUN [--flags]`. Returns the exit code: 1 if no episode could be audited."""
    named = ["--run", *argv] if argv and not argv[0].startswith("-") else argv
    config = parse(named, AuditConfig, "audit", usage="[RUN] [--config FILE] [--NAME VALUE ...]")
    _check_outputs(config)
    episodes = read_run(
        Path(config.run),
        dialect=config.dialect,
        tasks=config.tasks,
        outside=Outside(config.follow_links, config.media_root),
    )
    audit = audit_of(episodes, asking_in(config.asked, episodes.dialect))
    _report_faults(audit)
    if not audit.audited:
        print(f"Nothing could be audited: {config.run} has {episodes.rows} rows.", file=sys.stderr)
        return 1
    worst = worst_crops(audit, config.worst)
    print(f"{audit.audited} episodes of {config.run}, dialect {episodes.dialect.name}, asked in: {config.asked}")
    limits = limits_of(episodes.dialect, config.asked)
    for remark in [*episodes.remarks, *([limits] if limits else [])]:
        print(f"Note: {remark}.")
    print(f"\n{text_of(audit, worst)}")
    if config.output is not None:
        write_whole(config.output, json.dumps(row_of(audit), indent=2, sort_keys=True, allow_nan=False) + "\n")
    if config.page is not None:
        write_page(config.page, audit, worst)
    return 0


def _check_outputs(config: AuditConfig) -> None:
    if config.page is not None:
        check_page(config.page)
    if config.output is None:
        return
    if config.output.suffix != ".json" or config.output.is_dir():
        raise ConfigError(f"the figures cannot be written to {config.output}. Give an --output that ends in .json.")
    try:
        config.output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{config.output} cannot be written: {error.strerror}. Give another --output.") from error


def _report_faults(audit: Audit) -> None:
    if not audit.faults:
        return
    print(f"{len(audit.faults)} rows or episodes are not audited:", file=sys.stderr)
    for fault in audit.faults[:_REPORTED]:
        print(f"  {fault}", file=sys.stderr)
    if len(audit.faults) > _REPORTED:
        print(f"  ... and {len(audit.faults) - _REPORTED} more; --output lists all of them", file=sys.stderr)


def row_of(audit: Audit) -> dict[str, Any]:
    """The audit as a JSON object."""
    return {
        "run": audit.episodes.name,
        "dialect": audit.episodes.dialect.name,
        "asked": audit.asked,
        "rows": audit.episodes.rows,
        "audited": audit.audited,
        "faults": list(audit.faults),
        "remarks": list(audit.episodes.remarks),
        "policies": {
            name: {
                "all": to_row(policy.all),
                "by_category": {category: to_row(one) for category, one in policy.by_category.items()},
                "by_task": {task: to_row(one) for task, one in policy.by_task.items()},
            }
            for name, policy in audit.policies.items()
        },
    }

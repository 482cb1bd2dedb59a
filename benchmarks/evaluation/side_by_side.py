"""Several protocols on the same questions, side by side, each paired with the first one question by question.

Depends on plans, stored rows and statistics; independent of models and of how the runs were played.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.metrics.clusters import mean_of_questions
from agents.metrics.statistics import Estimate
from benchmarks.evaluation.clustered import clustered_note
from benchmarks.evaluation.compare import Graded, check_same_questions, compared, graded_in, unparsed_cell
from benchmarks.evaluation.plan import EvalPlan
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.published import benchmark_of, notes_on, published_cell, published_on
from benchmarks.evaluation.records import SAMPLED
from benchmarks.text_tables import fraction, interval, signed, signed_interval, table
from pixel_env.errors import ConfigError


def folder_of(output_dir: str, name: str) -> str:
    """The folder of the protocol `name` below that of all of them."""
    return str(Path(output_dir) / re.sub(r"[^\w.-]+", "_", name).strip("_."))


def check_folders(output_dir: str, names: Sequence[str]) -> None:
    """Raises ConfigError for two protocols that would be played in one folder."""
    by_folder: dict[str, str] = {}
    for name in names:
        if (other := by_folder.setdefault(folder_of(output_dir, name), name)) != name:
            raise ConfigError(
                f"--protocol has {other!r} and {name!r}, which would share the folder {folder_of(output_dir, name)}. "
                "Give each a name of its own, or play them with an --output_dir each."
            )


def side_by_side(plans: Sequence[EvalPlan], tasks: str) -> str:
    """The report of the finished runs of `plans`; `tasks`: as `--tasks` names their task set."""
    graded = [graded_in(plan.folder, LEARNED_ZOOM if plan.samples == 0 else SAMPLED) for plan in plans]
    for plan, run in zip(plans[1:], graded[1:], strict=True):
        check_same_questions(graded[0], run, (plans[0].folder, plan.folder))
    benchmark = benchmark_of(tasks, plans[0].task_set)
    first = plans[0].protocol
    assert first is not None, "runs of protocols are compared"
    head = ["protocol", "dialect", "n", "k", "accuracy", "95% interval", "unparsed", "published"]
    head += [f"- {first.name}", "95% interval"]
    rows = [
        [*_figures(plan, run, benchmark), *_paired(graded[0], run, plan.seed if index else None)]
        for index, (plan, run) in enumerate(zip(plans, graded, strict=True))
    ]
    notes = clustered_note(_accuracy(graded[0]))
    notes += [line for plan in plans for line in notes_on(plan, benchmark)]
    return "\n".join([table([head, *rows], text_columns=2), "", *notes])


def _figures(plan: EvalPlan, run: Mapping[str, Graded], benchmark: str | None) -> list[str]:
    assert plan.protocol is not None
    estimate = _accuracy(run)
    published = published_cell(published_on(plan.protocol, benchmark))
    figures = [str(estimate.n), str(plan.samples or 1), fraction(estimate.value), interval(estimate)]
    return [plan.protocol.name, plan.settings.dialect.name, *figures, unparsed_cell(run), published]


def _accuracy(run: Mapping[str, Graded]) -> Estimate:
    clusters = {task_id: one.cluster for task_id, one in run.items()}
    return mean_of_questions({task_id: one.grades for task_id, one in run.items()}, clusters)


def _paired(first: Mapping[str, Graded], run: Mapping[str, Graded], seed: int | None) -> list[str]:
    """The difference from the first run with its interval; dashes for the first itself (`seed` None)."""
    if seed is None:
        return ["-", "-"]
    difference = compared(list(first.values()), [run[task_id] for task_id in first], seed=seed).difference
    return [signed(difference.value), signed_interval(difference)]

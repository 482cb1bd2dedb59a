"""Where the crops of each policy lie: their IoU with the evidence, for sets whose tasks have evidence boxes.

Depends on trajectories and metrics of zooming; independent of files and engines.
"""

from collections.abc import Mapping, Sequence

from agents.metrics.statistics import Estimate
from agents.metrics.zooming import best_box_iou, evidence_iou, first_box_iou
from benchmarks.evaluation.records import Evaluation
from benchmarks.evaluation.tables import parts_of
from benchmarks.text_tables import fraction, interval, table
from pixel_env.episode import Stop, Trajectory

FIRST, BEST, MEAN = "first box", "best box", "mIoU"


def evidence_figures(trajectories: Sequence[Trajectory]) -> Mapping[str, Estimate]:
    """IoU of the first and of the best box, over rollouts with a crop, and mIoU over all; none without evidence.

    Episodes that failed do not count.
    """
    played = [one for one in trajectories if one.stop is not Stop.FAILED]
    mean = evidence_iou(played)
    return {FIRST: first_box_iou(played), BEST: best_box_iou(played), MEAN: mean} if mean.n else {}


def evidence_table(evaluation: Evaluation) -> str | None:
    """A row for each policy that made a crop; None if none did."""
    head = ["IoU with the evidence", "rollouts with a crop", FIRST, "95% interval", BEST, "95% interval"]
    head += ["rollouts", MEAN, "95% interval"]
    rows = []
    for name, records in parts_of(evaluation).items():
        figures = evidence_figures([record.trajectory for record in records])
        if figures and figures[BEST].n:
            first, best, mean = figures[FIRST], figures[BEST], figures[MEAN]
            cells = [str(best.n), *_cells(first), *_cells(best), str(mean.n), *_cells(mean)]
            rows.append([name.replace("_", " "), *cells])
    return table([head, *rows]) if rows else None


def _cells(estimate: Estimate) -> list[str]:
    return [fraction(estimate.value), interval(estimate)]

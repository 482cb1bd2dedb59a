"""Where the crops of each policy lie: their IoU with the evidence, for sets whose tasks have evidence boxes.

Depends on trajectories and metrics of zooming; independent of files and engines.
"""

from collections.abc import Sequence

from agents.metrics.statistics import Estimate
from agents.metrics.zooming import best_box_iou, evidence_iou
from benchmarks.evaluation.records import Evaluation
from benchmarks.evaluation.tables import parts_of
from benchmarks.text_tables import fraction, interval, table
from pixel_env.episode import Stop, Trajectory


def evidence_figures(trajectories: Sequence[Trajectory]) -> tuple[Estimate, Estimate] | None:
    """IoU of the best box, over questions with a crop, and mIoU over all; None without evidence.

    Episodes that failed do not count.
    """
    played = [one for one in trajectories if one.stop is not Stop.FAILED]
    mean = evidence_iou(played)
    return (best_box_iou(played), mean) if mean.n else None


def evidence_table(evaluation: Evaluation) -> str | None:
    """A row for each policy that made a crop; None if none did."""
    head = ["IoU with the evidence", "with a crop", "best box", "95% interval", "n", "mIoU", "95% interval"]
    rows = []
    for name, records in parts_of(evaluation).items():
        figures = evidence_figures([record.trajectory for record in records])
        if figures is not None and figures[0].n:
            cells = [cell for one in figures for cell in (str(one.n), fraction(one.value), interval(one))]
            rows.append([name.replace("_", " "), *cells])
    return table([head, *rows]) if rows else None

"""How the regions of crops overlap: asked for with delivered, and each with the evidence.

Depends on crop regions; independent of episodes, files and tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.audit.regions import CropRegions
from pixel_env.boxes import Box

LOW = 0.5
"""An IoU below this counts as low."""
_NONE = float("nan")


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlaps of `n` pairs of regions; NaN where there are none.

    `low`: the share with an IoU below LOW; `apart`: the share without any overlap; `quartiles`: of the IoU, the least
    and the largest included; `covered`: the mean share of the first region that lies in the second.
    """

    n: int
    mean_iou: float = _NONE
    quartiles: tuple[float, ...] = (_NONE,) * 5
    low: float = _NONE
    apart: float = _NONE
    covered: float = _NONE


@dataclass(frozen=True, slots=True)
class Overlaps:
    """The overlaps of a group of `crops`; `unread`: those whose text gives no box in the unit that the model means.

    `delivered`: the region asked for with the one delivered; `guessed`: with the one that a guess of the unit delivers;
    `asked_evidence` and `delivered_evidence`: the evidence
    with the region asked for and with the one delivered, over the crops of an image with evidence.
    """

    crops: int
    unread: int
    repeated: int
    whole: int
    delivered: Overlap
    guessed: Overlap
    asked_evidence: Overlap
    delivered_evidence: Overlap


def overlaps_of(crops: Sequence[CropRegions]) -> Overlaps:
    """The overlaps of the crops."""
    read = [(crop, crop.asked) for crop in crops if crop.asked is not None]
    return Overlaps(
        len(crops),
        len(crops) - len(read),
        sum(crop.is_repeated for crop in crops),
        sum(crop.is_whole for crop in crops),
        _overlap(_pair([asked], crop.delivered) for crop, asked in read),
        _overlap(_pair([asked], crop.guessed) for crop, asked in read if crop.guessed is not None),
        _overlap(_pair(crop.evidence, asked) for crop, asked in read if crop.evidence),
        _overlap(_pair(crop.evidence, crop.delivered) for crop in crops if crop.evidence),
    )


def _pair(boxes: Sequence[Box], other: Box | None) -> tuple[float, float]:
    """The IoU, and the share of the box that lies in `other`: each the best over the boxes, 0 without `other`."""
    if other is None:
        return 0.0, 0.0
    return max(box.iou(other) for box in boxes), max(box.covered_by(other) for box in boxes)


def _overlap(pairs: Iterable[tuple[float, float]]) -> Overlap:
    values_P2 = np.array(list(pairs), dtype=float)
    if not len(values_P2):
        return Overlap(0)
    ious_P, covered_P = values_P2.T
    quartiles = tuple(float(value) for value in np.percentile(ious_P, (0, 25, 50, 75, 100)))
    return Overlap(
        len(ious_P),
        float(ious_P.mean()),
        quartiles,
        float((ious_P < LOW).mean()),
        float((ious_P == 0.0).mean()),
        float(covered_P.mean()),
    )

"""The worst crops of an audit: first those that delivered another region than was asked for, then misses.

Depends on the regions of crops; independent of how they are shown.
"""

from collections.abc import Iterable

from benchmarks.audit.figures import Audit
from benchmarks.audit.regions import SAME, CropRegions


def worst_crops(audit: Audit, count: int) -> list[CropRegions]:
    """At most `count` crops: those that delivered less than SAME of what was asked for, then those without evidence.

    A crop with a margin around what was asked for is none of them. The worst come first, and one of each task before a
    second one of any.
    """
    crops = [crop for policy in audit.policies.values() for crop in policy.crops]
    elsewhere = [crop for crop in crops if crop.asked is not None and crop.asked_shown < SAME]
    missed = [crop for crop in crops if (crop.asked is None or crop.asked_shown >= SAME) and _misses(crop)]
    elsewhere.sort(key=lambda crop: (crop.asked_shown, crop.iou))
    return [*_spread(elsewhere), *_spread(missed)][:count]


def _misses(crop: CropRegions) -> bool:
    return bool(crop.evidence) and crop.evidence_shown == 0.0


def _spread(crops: Iterable[CropRegions]) -> list[CropRegions]:
    """The crops with the first one of each task in front, then the second ones, and so on."""
    seen: dict[str, int] = {}
    numbered = []
    for crop in crops:
        task_id = crop.record.trajectory.task.task_id
        seen[task_id] = seen.get(task_id, 0) + 1
        numbered.append((seen[task_id], crop))
    return [crop for _, crop in sorted(numbered, key=lambda pair: pair[0])]

"""Where each executed crop came from: the region asked for, the region delivered, and the evidence, on the source.

The region asked for is read from the text of the call once more, in the unit that the model means (`units.py`) and in
the sizes at which it was shown the images. The region delivered is the one of the view that was returned. Where the two
units are the same they differ by padding and edge rules alone. Depends on played turns and dialects; independent of
figures and files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.metrics.zooming import evidence_on
from benchmarks.audit.episodes import PlayedTurn, played_turns
from benchmarks.evaluation.records import Record
from pixel_env.actions import parse
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.media.images import BlankSource
from pixel_env.operations.operation import Operation
from pixel_env.views import Source, View, ViewBudgets

SAME = 0.9
"""Two regions whose IoU is at least this are one region."""


@dataclass(frozen=True, slots=True)
class CropRegions:
    """The regions of one executed crop, in fractions of `source`, the image that the call names.

    `turn`: from 0. `asked`: None if the text gives no box in that unit. `delivered`: None if the model got no image, or
    one that shows nothing of the source (a blank one). `is_repeated`: the same region of the source was delivered
    earlier in the episode.
    """

    record: Record
    turn: int
    source: Source
    asked: Box | None
    delivered: Box | None
    evidence: tuple[Box, ...]
    is_repeated: bool

    @property
    def is_whole(self) -> bool:
        """Whether the crop delivered the whole image."""
        return self.delivered is not None and self.delivered.iou(FULL) >= SAME

    @property
    def iou(self) -> float:
        """Intersection over union of the regions asked for and delivered; 0 if nothing was delivered."""
        if self.asked is None or self.delivered is None:
            return 0.0
        return self.asked.iou(self.delivered)

    @property
    def asked_shown(self) -> float:
        """The share of the region asked for that was delivered."""
        return 0.0 if self.asked is None or self.delivered is None else self.asked.covered_by(self.delivered)

    @property
    def evidence_shown(self) -> float:
        """The share of the evidence that was delivered; of several pieces, that of the one that was shown best."""
        shown = [box.covered_by(self.delivered) for box in self.evidence] if self.delivered is not None else []
        return max(shown, default=0.0)


def crops_of(record: Record, asking: Dialect, budgets: ViewBudgets) -> Iterator[CropRegions]:
    """The executed crops of the episode, in order. `asking`: the dialect with the unit that the model means.

    Raises MediaError if an image cannot be read.
    """
    delivered_before: list[tuple[str, Box]] = []
    for played in played_turns(record.trajectory, budgets):
        action = played.turn.action
        region = action.region() if played.executed and isinstance(action, Operation) else None
        if region is None:
            continue
        parent = played.seen[region[0]]
        source = parent.source.of if isinstance(parent.source, BlankSource) else parent.source
        delivered = _delivered(played.turn.views, source)
        is_repeated = delivered is not None and any(
            key == source.key and delivered.iou(box) >= SAME for key, box in delivered_before
        )
        if delivered is not None:
            delivered_before.append((source.key, delivered))
        yield CropRegions(
            record,
            played.number,
            source,
            _asked(played, asking),
            delivered,
            tuple(evidence_on(source, record.trajectory.task)),
            is_repeated,
        )


def _asked(played: PlayedTurn, asking: Dialect) -> Box | None:
    """The region that the text of the call asks for, on the source; None if it holds no box in that unit."""
    action = parse(played.text, asking, played.shown_sizes)
    region = action.region() if isinstance(action, Operation) else None
    if region is None or not 0 <= region[0] < len(played.seen):
        return None
    return played.seen[region[0]].to_source(region[1])


def _delivered(views: Sequence[View], source: Source) -> Box | None:
    return next((view.box for view in views if view.source.key == source.key), None)

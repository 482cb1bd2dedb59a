"""Where each executed crop came from: the region asked for, the region delivered, and the evidence, on the source.

The region asked for is read from the text of the call once more, in the unit that the model means (`units.py`) and in
the sizes at which it was shown the images. The region delivered is the one of the view that was returned. Where the two
units are the same they differ by padding and edge rules alone. `guessed` is the region that a tool would cut which
takes the numbers for fractions only if all are below 1. Depends on played turns and dialects; independent of
figures and files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.metrics.zooming import evidence_on
from benchmarks.audit.episodes import PlayedTurn, played_turns
from benchmarks.audit.places import place_of
from benchmarks.audit.units import Asking
from benchmarks.evaluation.records import Record
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.failures import Failure
from pixel_env.media.sources import BlankSource
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import Source, View, ViewBudgets

SAME = 0.9
"""Two regions whose IoU is at least this are one region."""


@dataclass(frozen=True, slots=True)
class CropRegions:
    """The regions of one executed crop, in fractions of `source`, the image that the call names.

    `turn`: the message, from 0. `asked`: None if the text gives no box in that unit. `guessed`: None if the model does
    not mean fractions. `delivered`: None if the model got no image, or one that shows nothing of the source (a blank
    one). `place`: what the image that came back shows (`places.py`), None where the file does not hold it.
    `is_repeated`: the same region of the source was delivered earlier in the episode.
    """

    record: Record
    turn: int
    source: Source
    asked: Box | None
    guessed: Box | None
    delivered: Box | None
    evidence: tuple[Box, ...]
    is_repeated: bool
    place: str | None = None

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


def crops_of(
    record: Record, asking: Asking, budgets: ViewBudgets, returned: Sequence[Sequence[Source]] = ()
) -> Iterator[CropRegions]:
    """The executed crops of the episode, in order.

    `returned`: the images after each message, where the file holds them; one of several cannot be told apart. Raises
    MediaError if an image cannot be read.
    """
    delivered_before: list[tuple[str, Box]] = []
    task = record.trajectory.task
    for played in played_turns(record.trajectory, budgets):
        action = played.turn.action
        region = action.region() if played.executed and isinstance(action, Operation) else None
        if region is None:
            continue
        parent = played.seen[region[0]]
        source = parent.source.of if isinstance(parent.source, BlankSource) else parent.source
        delivered = _delivered(played.turn.views, source)
        regions = {
            "delivered": delivered,
            "asked": _cut(played, asking.dialect, task, source),
            "guessed": None if asking.guess is None else _cut(played, asking.guess, task, source),
        }
        image = _only(returned[played.number]) if played.number < len(returned) else None
        yield CropRegions(
            record,
            played.number,
            source,
            regions["asked"],
            regions["guessed"],
            delivered,
            tuple(evidence_on(source, task)),
            any(_are_same(source, delivered, *earlier) for earlier in delivered_before),
            None if image is None else place_of(image, source, regions | {"whole image": FULL}),
        )
        if delivered is not None:
            delivered_before.append((source.key, delivered))


def _are_same(source: Source, delivered: Box | None, key: str, box: Box) -> bool:
    return key == source.key and delivered is not None and delivered.iou(box) >= SAME


def _cut(played: PlayedTurn, dialect: Dialect, task: Task, source: Source) -> Box | None:
    """The region of `source` that the call of the step cuts in `dialect`; None if it cuts none."""
    operation = played.call_in(dialect)
    views = () if operation is None else operation.run(played.seen, task, dialect.rule)
    return None if isinstance(views, Failure) else _delivered(views, source)


def _only(images: Sequence[Source]) -> Source | None:
    return images[0] if len(images) == 1 else None


def _delivered(views: Sequence[View], source: Source) -> Box | None:
    return next((view.box for view in views if view.source.key == source.key), None)

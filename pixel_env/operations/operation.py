"""What an operation declares: its name, its arguments, what it returns, and how its result maps to its input.

Depends on views, tasks and arguments; independent of dialects, call syntaxes and episodes. An operation is one frozen
dataclass in one file; `registry.py` lists those that ship, and `docs/extending.md` adds one of your own.

    @dataclass(frozen=True, slots=True)
    class Grey(ImageOperation):
        name = "grey"
        description = "Look at an image without its colours."

        image: int = argument(ImageNumber())

        def apply(self, image: Image.Image) -> Image.Image:
            return image.convert("L").convert("RGB")
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self

from PIL import Image

from pixel_env.boxes import Box
from pixel_env.edges import Edges
from pixel_env.failures import Failure, FailureCode, no_such_image
from pixel_env.operations.argument_kinds import ImageNumber
from pixel_env.operations.arguments import Argument, BoxMap, Drawing
from pixel_env.operations.coordinates import ImageNames
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.task import Task
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class OperationRule:
    """A dialect's rules for operations; `Dialect` documents each field."""

    first_index: int = 1
    edges: Edges = Edges()  # noqa: RUF009  # frozen
    crops_source: bool = True
    max_frames: int = 8
    frames: FrameRule = field(default_factory=FrameRule)
    image_names: ImageNames | None = None


class Operation(ABC):
    """One visual operation, requested by a model. Subclasses are frozen dataclasses whose fields declare arguments.

    `name`: its name in calls, dialects, stored trajectories and metrics; lower case, words joined by "_".
    `description`: one sentence for the model. `observation`: the text that comes back with its images, a `str.format`
    template of `number` and `first` (the first new image), `last`, `count`, `width`, `height` (as shown), and of what
    `observation_fields` adds; a dialect may have its own. `wire_order`: the order of the arguments in a call, if not
    that of the fields. `brings_images`: False for an operation whose result is the text of the observation alone.
    """

    __slots__ = ()

    name: ClassVar[str]
    description: ClassVar[str]
    observation: ClassVar[str] = "Here is the result (image {number}, {width}x{height} pixels):"
    wire_order: ClassVar[tuple[str, ...]] = ()
    brings_images: ClassVar[bool] = True

    @abstractmethod
    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """The new views, or why there are none; `views` are all images of the episode so far, in order.

        No views and no failure: the operation was executed, and its result is a text (`brings_images` is False).
        Raises MediaError if a source cannot be read. Whatever a model can write is a Failure, never an exception.
        """

    def observation_fields(self, task: Task, rule: OperationRule) -> Mapping[str, Any]:
        """Further fields of the template `observation`, once the operation was executed."""
        return {}

    def region(self) -> tuple[int, Box] | None:
        """The image that the operation zooms into, and the box on it; None if it does not zoom into one region."""
        return None

    # ------------------------------------------------------------------------------- from its declared arguments

    @classmethod
    def arguments(cls) -> Mapping[str, Argument]:
        """The declared arguments by field name, in the order of a call."""
        return _arguments(cls)

    @classmethod
    def optional(cls) -> Mapping[str, Any]:
        """The arguments that a call may leave out, with their defaults."""
        return _optional(cls)

    @classmethod
    def image_field(cls) -> str | None:
        """The field that holds the number of the image that is acted on; None if there is none."""
        return _image_field(cls)

    @property
    def image_number(self) -> int | None:
        """The number of the image that is acted on, from 0; None for an operation on frames."""
        name = self.image_field()
        return None if name is None else getattr(self, name)

    def to_row(self) -> dict[str, Any]:
        """The arguments as a stored trajectory holds them; `from_row` is the inverse."""
        declared = self.arguments()
        return {
            field.name: declared[field.name].to_row(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The operation with the arguments of `row`; further keys are ignored."""
        return cls(**{name: kind.from_row(row[name]) for name, kind in cls.arguments().items() if name in row})

    @classmethod
    def draw(cls, drawing: Drawing) -> Self | None:
        """A random legal operation; None if there is none, such as a selection of frames without a video."""
        drawn = {name: kind.draw(drawing) for name, kind in cls.arguments().items()}
        return None if any(value is None for value in drawn.values()) else cls(**drawn)

    def mapped(self, box_map: BoxMap) -> Self:
        """The same operation on an image whose boxes correspond to this one's by `box_map`."""
        moved = {name: kind.mapped(getattr(self, name), box_map) for name, kind in self.arguments().items()}
        return dataclasses.replace(self, **moved)  # type: ignore[type-var]

    def shown(self) -> str:
        """The operation in a few words for people; images and frames count from 1."""
        values = [kind.shown(getattr(self, name)) for name, kind in self.arguments().items()]
        return " ".join([self.name.replace("_", " "), *values])


# Every call looks these up several times, and a class does not change.


@cache
def _arguments(operation: type[Operation]) -> Mapping[str, Argument]:
    declared = {field.name: field.metadata["argument"] for field in dataclasses.fields(operation)}  # type: ignore[arg-type]
    return MappingProxyType({name: declared[name] for name in operation.wire_order or declared})


@cache
def _optional(operation: type[Operation]) -> Mapping[str, Any]:
    fields = dataclasses.fields(operation)  # type: ignore[arg-type]
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    return MappingProxyType(defaults)


@cache
def _image_field(operation: type[Operation]) -> str | None:
    return next((name for name, kind in _arguments(operation).items() if isinstance(kind, ImageNumber)), None)


class ImageOperation(Operation):
    """An operation that makes one new image of the pixels of one image: rotate, flip, enhance, ...

    It declares an `ImageNumber` and implements `apply`. It is also the step that its view records, so it states how a
    box on its result maps to its input and back: by default nothing moves.
    """

    __slots__ = ()

    kind: ClassVar[ViewKind | None] = None
    """The kind of view that it returns, which decides its pixel budget; None: that of the image it acts on."""

    @abstractmethod
    def apply(self, image: Image.Image) -> Image.Image:
        """The result for `image` (RGB), which is shared and must not be changed."""

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """The size of the result of a `width` x `height` image."""
        return width, height

    def to_input(self, box: Box) -> Box:
        """Where a box on the result lies on the input."""
        return box

    def from_input(self, box: Box) -> Box | None:
        """Where a box on the input lies on the result; None if it is not shown."""
        return box

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """One view of the image, transformed; the failure `no_such_image` if there is no such image."""
        parent = image_at(views, self.image_number or 0, rule)
        if isinstance(parent, Failure):
            return parent
        return (parent.transformed(self.as_step(), kind=self.kind, of_shown=not rule.crops_source),)

    def as_step(self) -> Self:
        """The operation without the number of its image: equal steps are equal wherever they were requested."""
        return dataclasses.replace(self, **{self.image_field() or "image": 0})  # type: ignore[type-var]


def image_at(views: Sequence[View], number: int, rule: OperationRule) -> View | Failure:
    """The view number `number` (from 0), or the failure `no_such_image`."""
    if 0 <= number < len(views):
        return views[number]
    names = rule.image_names
    if names is None or not views:
        return no_such_image(len(views), rule.first_index)
    listed = [names.name_of(one, rule.first_index) for one in range(len(views))]
    called = f"images are called {listed[0]} to {listed[-1]}" if len(listed) > 1 else f"the only one is {listed[0]}"
    return Failure(FailureCode.NO_SUCH_IMAGE, f"That image does not exist; {called}.")

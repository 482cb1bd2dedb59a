"""The registry: every operation keeps the contract, and what is no operation is refused with the way out."""

import re
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from pixel_env.boxes import Box
from pixel_env.dialects import DIALECTS
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.media import show
from pixel_env.operation_check import OperationContractError, check_operation
from pixel_env.operations import OPERATIONS, ImageNumber, ImageOperation, Operation, argument, operation_named
from pixel_env.operations.registry import DEFAULT
from pixel_env.testing import PixelSource
from pixel_env.views import View, ViewKind
from tests.pixel_env.operations.own_operations import Trim


@pytest.fixture(autouse=True)
def _unchanged_registry():
    before = dict(OPERATIONS)
    yield
    OPERATIONS.clear()
    OPERATIONS.update(before)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_keeps_the_contract(name):
    check_operation(OPERATIONS[name])


def test_an_operation_from_outside_keeps_the_contract_and_is_known_by_its_name_afterwards(monkeypatch):
    monkeypatch.delitem(OPERATIONS, "trim", raising=False)  # another module of this process may have registered it
    check_operation(Trim)
    assert operation_named("trim") is Trim


def test_only_the_two_operations_of_the_method_are_on_by_default():
    assert DEFAULT == ("crop_image", "select_frames")


def test_an_operation_is_imported_by_module_and_class_from_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "greys.py").write_text(
        "from dataclasses import dataclass\n"
        "from pixel_env.operations import ImageNumber, ImageOperation, argument\n"
        "@dataclass(frozen=True)\n"
        "class Grey(ImageOperation):\n"
        "    name = 'grey'\n"
        "    description = 'Look at an image without colours.'\n"
        "    image: int = argument(ImageNumber())\n"
        "    def apply(self, image):\n"
        "        return image.convert('L').convert('RGB')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert operation_named("greys:Grey") is operation_named("grey")
    check_operation(operation_named("grey"))


def test_an_unknown_operation_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'rotate'\?.*module:Class"):
        operation_named("rotat")
    with pytest.raises(ConfigError, match=r"nowhere_at_all:Grey.*cannot be loaded"):
        operation_named("nowhere_at_all:Grey")


class NoOperation:
    name = "none"


class NoDataclass(ImageOperation):
    name = "plain"
    description = "d"

    def apply(self, image):
        return image


@dataclass(frozen=True)
class NoName(ImageOperation):
    description = "d"
    image: int = argument(ImageNumber())

    def apply(self, image):
        return image


@dataclass(frozen=True)
class BadName(NoName):
    name = "Bad Name"


@dataclass(frozen=True)
class TakenName(NoName):
    name = "rotate"


@dataclass(frozen=True)
class ReservedName(NoName):
    name = "answer"


@dataclass(frozen=True)
class PlainField(NoName):
    name = "plain_field"
    strength: float = 1.0


@dataclass(frozen=True)
class Unfinished(Operation):
    name = "unfinished"
    description = "d"
    image: int = argument(ImageNumber())


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (NoOperation, "not a subclass"),
        (3, "not a subclass"),
        (NoDataclass, "frozen dataclass"),
        (NoName, "no 'name'"),
        (BadName, "lower-case words"),
        (ReservedName, "lower-case words"),
        (TakenName, "has the name 'rotate' already"),
        (PlainField, "'strength' declares no argument"),
        (Unfinished, "lacks run"),
    ],
)
def test_what_is_no_operation_is_refused_with_how_to_fix_it(operation, message):
    with pytest.raises(ConfigError, match=message):
        check_operation(operation)


@dataclass(frozen=True)
class LyingSize(NoName):
    name = "lying_size"

    def result_size(self, width, height):
        return width, height + 1


@dataclass(frozen=True)
class LyingMap(NoName):
    name = "lying_map"

    def to_input(self, box):
        return Box(box.y0, box.x0, box.y1, box.x1)


@dataclass(frozen=True)
class Greyscale(NoName):
    name = "greyscale"

    def apply(self, image: Image.Image):
        return image.convert("L")


@dataclass(frozen=True)
class NoImage(NoName):
    name = "no_image"

    def apply(self, image: Image.Image):
        return np.asarray(image)


@pytest.mark.parametrize(
    ("operation", "message"),
    [(LyingSize, "result_size announces"), (LyingMap, "of its result"), (Greyscale, "mode L")],
)
def test_the_contract_catches_an_operation_that_lies(operation, message):
    with pytest.raises((OperationContractError, ConfigError), match=message):
        check_operation(operation)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (LyingSize, "returned an image of 280x280 pixels, and result_size announces 280x281"),
        (Greyscale, "apply returned an image of mode L; wanted: an RGB image"),
        (NoImage, "apply returned a ndarray; wanted: an RGB image"),
    ],
)
def test_a_result_that_is_not_what_the_operation_announces_is_the_users_error_and_no_wrong_observation(
    operation, message
):
    with pytest.raises(ConfigError, match=re.escape(message)):
        show(View(PixelSource(280, 280), ViewKind.ORIGINAL).transformed(operation(0)), DIALECTS["default"].budgets)

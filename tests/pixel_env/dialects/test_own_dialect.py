"""A dialect, a call syntax and further operations of a user's own, named from outside."""

import re
import sys
from dataclasses import dataclass, replace

import pytest

from pixel_env.actions import parse, tool_schemas, write
from pixel_env.boxes import Box
from pixel_env.dialects import DIALECTS, Call, Coordinates, dialect_named, with_operations
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations import CropImage
from pixel_env.operations.rotate import Rotate
from pixel_env.testing import tiny_task
from pixel_env.types import Malformed

OWN = """
from dataclasses import replace
from pixel_env.dialects import DIALECTS, Coordinates

ZOOM = replace(
    DIALECTS["default"],
    coordinates=Coordinates("grid", 100),
    operations=("crop_image", "rotate"),
    names={"crop_image": "zoom"},
    keys={"box": "region", "rotate.image": "picture"},
    default_image=0,
)
NO_DIALECT = 7
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "my_dialects.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_dialects", raising=False)


def test_a_dialect_is_named_by_module_and_name_and_travels_under_that_name(own_module):
    dialect = dialect_named("my_dialects:ZOOM")
    assert dialect.name == "my_dialects:ZOOM" and dialect_named(dialect.name) == dialect
    assert [schema["function"]["name"] for schema in tool_schemas(dialect)] == ["zoom", "rotate"]
    call = '<tool_call>{"name": "zoom", "arguments": {"region": [0, 0, 50, 50]}}</tool_call>'
    assert parse(call, dialect) == CropImage(0, Box(0, 0, 0.5, 0.5))
    assert write(CropImage(0, Box(0, 0, 0.5, 0.5)), dialect) == call
    assert '"picture": 2' in write(Rotate(1, 90), dialect)
    assert '"target_image": 2' in write(CropImage(1, Box(0, 0, 0.5, 0.5)), dialect)
    env = PixelEnv([tiny_task()], dialect="my_dialects:ZOOM")
    env.reset(seed=0)
    assert env.step(call)[4]["failure"] is None


def test_its_variants_and_further_operations_follow_its_name(own_module):
    assert dialect_named("my_dialects:ZOOM:notool").offers_calls is False
    assert dialect_named("my_dialects:ZOOM+flip").operations == ("crop_image", "rotate", "flip")


def test_what_is_no_dialect_is_refused(own_module):
    with pytest.raises(ConfigError, match="'my_dialects:NO_DIALECT' is a int"):
        dialect_named("my_dialects:NO_DIALECT")
    with pytest.raises(ConfigError, match="'my_dialects:MISSING' cannot be loaded"):
        dialect_named("my_dialects:MISSING")


def test_operations_are_switched_on_after_a_plus_sign_and_only_once():
    dialect = dialect_named("default+rotate+flip+rotate")
    assert dialect.name == "default+rotate+flip"
    assert dialect.operations == (*DIALECTS["default"].operations, "rotate", "flip")
    assert with_operations(dialect, ["crop_image", "flip"]) is dialect
    with pytest.raises(UnknownNameError, match="Did you mean 'rotate'"):
        dialect_named("default+rotte")


def test_a_dialect_that_cannot_call_an_operation_refuses_it():
    with pytest.raises(ConfigError, match=r"'tiny\+rotate' cannot call the operation 'rotate'"):
        dialect_named("tiny+rotate")


def test_two_operations_of_one_name_are_refused():
    clashing = replace(DIALECTS["default"], names={"rotate": "crop_image"})
    with pytest.raises(ConfigError, match="two operations 'crop_image'"):
        with_operations(clashing, ["rotate"])


@dataclass(frozen=True, slots=True)
class SlashCalls:
    """A call is a line "/name key=value key=value"; lists are separated by commas."""

    opening: str = "\n/"
    markers: tuple[str, ...] = ("\n/",)
    exact_grid: bool = False

    def parse(self, text, names, *, is_unfinished):
        if is_unfinished:
            return Failure(FailureCode.CUT_OFF, "The call was cut off: it must end with the turn.")
        name, *pairs = text.partition(self.opening)[2].split()
        given = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        return Call(name, {key: self._value(value) for key, value in given.items()})

    @staticmethod
    def _value(text):
        numbers = [float(part) if re.fullmatch(r"-?[0-9.]+", part) else part for part in text.split(",")]
        return numbers if "," in text else numbers[0]

    def write(self, call):
        def written(value):
            return ",".join(map(str, value)) if isinstance(value, list) else str(value)

        return " ".join([self.opening + call.name, *(f"{key}={written(v)}" for key, v in call.arguments.items())])

    def can_say(self, name):
        return " " not in name

    def tool_text(self, schemas):
        return "Write /name key=value. Names: " + ", ".join(schema["function"]["name"] for schema in schemas)

    def without_call(self, text):
        return text.partition(self.opening)[0].strip()


def test_a_call_syntax_of_ones_own_is_read_written_and_described():
    dialect = with_operations(replace(DIALECTS["default"], name="slash", calls=SlashCalls()), ["rotate"])
    for operation in (CropImage(0, Box(0.25, 0.25, 0.5, 0.5)), Rotate(0, 90)):
        assert parse("I zoom." + write(operation, dialect), dialect) == operation
    assert isinstance(parse("\n/rotate degrees=45 target_image=1", dialect), Malformed)
    env = PixelEnv([tiny_task()], dialect=dialect)
    observation, _ = env.reset(seed=0)
    assert "Names: crop_image, select_frames, rotate" in observation["text"]
    assert env.step(write(Rotate(0, 90), dialect))[4]["failure"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": {"crop_imag": "zoom"}}, "No operation named 'crop_imag'. Did you mean 'crop_image'"),
        ({"keys": {"boxx": "region"}}, "No argument of an operation named 'boxx'. Did you mean 'box'"),
        ({"keys": {"rotate.degree": "turn"}}, "Did you mean 'rotate.degrees'"),
        ({"keys": {"box": "target_image"}}, "gives two arguments of 'crop_image' one key"),
        ({"names": {"crop_image": "look", "select_frames": "look"}}, "two operations 'look'"),
        ({"coordinates": "grid"}, "the coordinates of the dialect 'default' are 'grid'"),
    ],
)
def test_a_dialect_that_contradicts_itself_is_refused_before_anything_is_played(changes, message):
    with pytest.raises((ConfigError, UnknownNameError), match=re.escape(message)):
        PixelEnv([tiny_task()], dialect=replace(DIALECTS["default"], **changes))


def test_a_unit_of_coordinates_that_is_none_and_an_empty_grid_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'grid'"):
        Coordinates("grd", 100)
    with pytest.raises(ConfigError, match="has 0 cells"):
        Coordinates("grid", 0)

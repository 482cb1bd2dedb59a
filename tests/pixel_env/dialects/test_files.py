"""A dialect as a YAML file: what is written is read back, and what is wrong is named."""

import re
import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
import yaml

from pixel_env.actions import parse, write
from pixel_env.boxes import Box
from pixel_env.dialects import (
    DIALECTS,
    ArgumentCalls,
    Coordinates,
    ImageNames,
    JsonCalls,
    PhraseCalls,
    XmlCalls,
    dialect_from_row,
    dialect_named,
    dialect_text,
    dialect_to_row,
    read_dialect,
    view_budgets,
)
from pixel_env.edges import Edges
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations import CropImage
from pixel_env.testing import tiny_task

DEFAULT = DIALECTS["default"]
SYNTAX = """
from dataclasses import dataclass
from pixel_env.dialects import Call

@dataclass(frozen=True)
class Slashes:
    opening: str = "/"
    markers: tuple[str, ...] = ("/",)
    exact_grid: bool = False
    spaces: int = 1

    def parse(self, text, names, *, is_unfinished):
        return Call(text.partition(self.opening)[2].strip(), {"bbox_2d": [0, 0, 1, 1], "target_image": 1})

    def write(self, call):
        return self.opening + " " * self.spaces + call.name

    def can_say(self, name):
        return True

    def tool_text(self, schemas):
        return ""

    def without_call(self, text):
        return text.partition(self.opening)[0]

class NoDataclass:
    pass
"""
FILLED = replace(
    DEFAULT,
    calls=PhraseCalls((("zoom", "zoom into {region} of {picture}"), ("pick", "pick {target_frames}")), "<a>", "</a>"),
    coordinates=Coordinates("guessed", otherwise="source_pixel", one_is_a_pixel=True),
    budgets=replace(DEFAULT.budgets, resized=DEFAULT.budgets.crop),
    system="Du bist hilfsbereit: “ja”.\n\n- no: yes",
    wording=replace(
        DEFAULT.wording,
        question="{images}\n{question}{request}",
        observations={"crop_image": "  {images}\n"},
        requests={"exact": "", "my_graders:own": " In {{}}."},
    ),
    first_index=0,
    edges=Edges(overhang=inf, rounding="nearest", small_box="expand", magnify=1.5, padding=1e-05),
    answer_rule="any",
    text_continues=False,
    names={"crop_image": "zoom", "select_frames": "pick"},
    keys={"box": "region", "crop_image.image": "picture"},
    ignored_keys=("label", "null"),
    box_keys=("x", "y", "w", "h"),
    digits_as_text=True,
    image_names=ImageNames("observation_{number}", "original_image"),
    several_calls="all",
    thought_closing="",
    stop=("</a>", "\nUser:"),
    prefill="<think>\n",
    last_prefill="<answer>",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_syntaxes", raising=False)
    return tmp_path


def named(text, name="my.yaml"):
    """The dialect of a file with this text."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return dialect_named(name)


# --------------------------------------------------------------------------------------------------------- round trips

SEVERAL = [
    *DIALECTS.values(),
    *(dialect_named(name) for name in ("released:vcot:train-pixels", "default:notool", "qwen3-vl+rotate+point_zoom")),
    FILLED,
    replace(DEFAULT, calls=JsonCalls("<zoom>", "</zoom>", bare="crop_image", break_lines=True)),
    replace(DEFAULT, calls=XmlCalls(), budgets=view_budgets(*[(1024, 4096)] * 4, factor=32)),
    replace(DEFAULT, calls=ArgumentCalls(), image_names=None, answer_rule="marker", answer_closing="</answer>"),
]


@pytest.mark.parametrize("dialect", SEVERAL, ids=lambda dialect: f"{dialect.name} {type(dialect.calls).__name__}")
def test_what_is_written_is_read_back_as_the_same_dialect_under_the_files_name(dialect, folder):
    assert named(dialect_text(dialect)) == replace(dialect, name="my.yaml")
    row = yaml.safe_load(yaml.safe_dump(dialect_to_row(dialect)))
    assert dialect_from_row(row, "here", dialect_named) == dialect


def test_a_file_says_only_what_differs_from_its_base(folder):
    dialect = named("base: qwen3-vl\nedges: {overhang: .inf}\nstop: [</tool_call>]\nwording: {expected: Go on.}\n")
    base = DIALECTS["qwen3-vl"]
    assert dialect == replace(
        base,
        name="my.yaml",
        edges=replace(base.edges, overhang=inf),
        stop=("</tool_call>",),
        wording=replace(base.wording, expected="Go on."),
    )


def test_budgets_of_a_file_change_what_they_name_alone(folder):
    budgets = named(
        "base: default\nbudgets: {crop: {max_pixels: 60000}, resized: {min_pixels: 1, max_pixels: 2}}"
    ).budgets
    assert budgets.original == DEFAULT.budgets.original and budgets.resized.max_pixels == 2
    assert budgets.crop == replace(DEFAULT.budgets.crop, max_pixels=60000)


def test_variants_and_operations_follow_the_name_of_a_file_wherever_it_lies(folder):
    named("base: default\n", "a+b:c/my.yml")
    dialect = dialect_named("a+b:c/my.yml:notool:frames+rotate")
    assert dialect.name == "a+b:c/my.yml:notool:frames+rotate"
    assert not dialect.offers_calls and dialect.operations[-1] == "rotate"
    with pytest.raises(UnknownNameError, match="Did you mean 'notool'"):
        dialect_named("a+b:c/my.yml:notol")


def test_an_environment_plays_a_file(folder):
    named("base: default\nnames: {crop_image: zoom}\nkeys: {box: region}\ndefault_image: 0\n")
    env = PixelEnv([tiny_task()], dialect="my.yaml")
    observation, _ = env.reset(seed=0)
    assert '"name": "zoom"' in observation["text"]
    call = '<tool_call>{"name": "zoom", "arguments": {"region": [0, 0, 0.5, 0.5]}}</tool_call>'
    assert env.step(call)[4]["failure"] is None


def test_a_call_syntax_of_ones_own_is_named_by_module_and_class_and_takes_its_fields(folder):
    (folder / "my_syntaxes.py").write_text(SYNTAX)
    dialect = named("base: default\ncalls: {syntax: 'my_syntaxes:Slashes', spaces: 2}\n")
    assert write(CropImage(0, Box(0, 0, 1, 1)), dialect) == "/  crop_image"
    assert parse("I look. / crop_image", dialect) == CropImage(0, Box(0, 0, 1, 1))
    assert named(dialect_text(dialect), "again.yaml").calls == dialect.calls
    for name, message in (
        ("my_syntaxes:NoDataclass", "is no dataclass"),
        ("pixel_env.edges:Edges", "has no parse, write, can_say, tool_text, without_call"),
        ("my_syntaxes:Slashs", "Did you mean 'my_syntaxes:Slashes'"),
        ("my_syntaxs:Slashes", "cannot be loaded"),
    ):
        with pytest.raises(ConfigError, match=message):
            named(f"base: default\ncalls: {{syntax: '{name}'}}\n")


def test_a_call_syntax_that_is_no_dataclass_cannot_be_written():
    class Slashes:
        opening = "/"

    with pytest.raises(ConfigError, match="the call syntax Slashes is not a dataclass"):
        dialect_text(replace(DEFAULT, calls=Slashes()))


# --------------------------------------------------------------------------------------------------------------- bases


def test_a_base_that_is_a_file_is_relative_to_the_file_in_which_it_stands(folder):
    named("base: tiny\nsystem: Far.\n", "shared/far.yaml")
    named("base: far.yaml\nstop: [x]\n", "shared/near.yaml")
    named("base: default\nsystem: Wrong.\n", "far.yaml")
    assert named("base: shared/near.yaml\n").system == "Far."
    assert dialect_named("shared/near.yaml").stop == ("x",)
    assert read_dialect(folder / "shared/near.yaml", dialect_named).system == "Far."
    assert named(f"base: {folder / 'shared/far.yaml'}\n", "elsewhere/own.yaml").system == "Far."
    named("base: default\n", "shared/boxed.yaml")
    assert not named("base: ../shared/boxed.yaml:notool+flip\n", "elsewhere/own.yaml").offers_calls


@pytest.mark.parametrize("base", ["my.yaml", "./my.yaml", "../FOLDER/my.yaml", "other.yaml", "my.yaml:notool"])
def test_a_base_that_leads_back_to_the_file_is_refused_with_the_way_it_takes(folder, base):
    (folder / "other.yaml").write_text("base: my.yaml\n")
    way = "my.yaml -> other.yaml -> my.yaml" if base == "other.yaml" else "my.yaml -> my.yaml"
    with pytest.raises(ConfigError, match=re.escape(f"is its own base: {way}. Give one of them a row")):
        named(f"base: {base.replace('FOLDER', folder.name)}\n")


def test_two_files_with_one_base_are_no_circle(folder):
    named("base: default\n", "base.yaml")
    named("base: base.yaml\n", "one.yaml")
    assert dialect_named("one.yaml") == replace(dialect_named("base.yaml"), name="one.yaml")


# ------------------------------------------------------------------------------------------------------------ mistakes

MISTAKES = {
    "edgs: {}": "No key of a dialect named 'edgs'. Did you mean 'edges'? It stands in my.yaml.",
    "1: a": "No key of a dialect named '1'.",
    "name: mine": "the dialect my.yaml has a key 'name'. Leave it out",
    "max_frames: many": "'max_frames' is 'many', a text; wanted: a whole number. It stands in my.yaml.",
    "max_frames: true": "'max_frames' is True, true or false; wanted: a whole number",
    "default_image: first": "'default_image' is 'first', a text; wanted: a whole number or null",
    "shows_tools: 1": "'shows_tools' is 1, a number; wanted: true or false",
    "system: 2024-01-01": "a date; wanted: a text",
    "system:": "'system' is None, nothing; wanted: a text",
    "stop: </zoom>": "'stop' is '</zoom>', a text; wanted: a list, each a text",
    "stop: [1]": "wanted: a list, each a text",
    "box_keys: [x, y]": "wanted: a list of 4, each a text or null",
    "names: [zoom]": "'names' is ['zoom'], a list; wanted: keys and values that are texts",
    "names: {crop_imag: zoom}": "No operation named 'crop_imag'. Did you mean 'crop_image'?",
    "answer_rule: boxd": "'answer_rule' is 'boxd', a text; wanted: boxed or marker or any",
    "answer_rule: any": "my.yaml: dialect 'my.yaml': text_continues is False with answer_rule 'any'",
    "max_calls: 0": "has max_calls 0; give 1 or more",
    "edges: {overhng: 1}": "No field of Edges named 'overhng'. Did you mean 'overhang'? It stands in 'edges' in",
    "edges: {rounding: sideways}": "'rounding' is 'sideways', a text; wanted: outward or ",
    "edges: {min_side: 0}": "the edge rule min_side is 0; give 1 or more",
    "edges: tight": "'edges' in my.yaml is 'tight'; wanted: the fields of Edges, as keys and values",
    "coordinates: {unit: grid, cells: 0}": "a grid of coordinates has 0 cells",
    "image_names: {later: img}": "it must hold {number} once",
    "calls: json": "'calls' in my.yaml is 'json'; wanted: {syntax: NAME, ...}, NAME of json, xml",
    "calls: {syntax: jsn}": "No call syntax named 'jsn'. Did you mean 'json'? It stands in my.yaml.",
    "calls: {syntax: json, open: <z>}": "No field of JsonCalls named 'open'. Did you mean 'opening'?",
    "calls: {syntax: phrases}": "'calls' in my.yaml lacks phrases",
    "budgets: {original: 3}": "'budgets' in my.yaml cannot be read",
    "budgets: {orignal: {}}": "'budgets' in my.yaml cannot be read",
    "budgets: {original: {min_pixels: 0}}": "a PixelBudget is 0 < min_pixels <= max_pixels",
    "budgets: large": "'budgets' in my.yaml cannot be read",
    "operations: [rotat]": "No operation named 'rotat'. Did you mean 'rotate'?",
    "wording: {qestion: hi}": "No field of Wording named 'qestion'. Did you mean 'question'?",
    "wording: {question: '{qestion}'}": "No field of a template named 'qestion'. Did you mean 'question'?",
    "wording: {expected: 'End with \\boxed{}.'}": "'expected' of the dialect 'my.yaml' has the field {}; "
    "wanted: question. Write {{ and }} for braces of the text",
    "wording: {failure: '{message'}": "'failure' of the dialect 'my.yaml' is no template: ",
    "wording: {observations: {crop_image: '{size}'}}": "'observations.crop_image' of the dialect 'my.yaml'",
    "wording: {question: '{question:9}'}": "'question' of the dialect 'my.yaml' gives a field a format",
    "wording: {question: '{question!x}'}": "'question' of the dialect 'my.yaml' gives a field a format",
    "wording: {question: '{images}{images}'}": "has {images} more than once, and each image is shown once",
    "wording: {image: '{image}{image}'}": "it must hold {image} once, where the image stands",
    "wording: {image: 'Image {number}'}": "it must hold {image} once, where the image stands",
    "wording: {failure: '\ufffc{message}'}": "has the character U+FFFC, which stands for images here",
    "wording: {separator: '\ufffc'}": "'separator' of the dialect 'my.yaml' has the character U+FFFC",
    "system: '\ufffc'": "'system' of the dialect 'my.yaml' has the character U+FFFC",
    'system: "\\uD800"': "'system' has half of a character (a lone surrogate)",
    "calls: {syntax: json, opening: ''}": "the opening of calls of the dialect 'my.yaml' is empty",
    "calls: {syntax: xml, closing: ''}": "the closing of calls of the dialect 'my.yaml' is empty",
    "answer_marker: ''": "the answer_marker of the dialect 'my.yaml' is empty",
    "stop: ['']": "the text in stop of the dialect 'my.yaml' is empty",
    "max_frames: 0": "max_frames of the dialect 'my.yaml' is 0; give 1 or more",
    "first_index: -1": "first_index of the dialect 'my.yaml' is -1; give 0 or more",
    "default_image: -1": "default_image of the dialect 'my.yaml' is -1; give 0 or more",
    "box_keys: [x, x, w, h]": "box_keys of the dialect 'my.yaml' are x, x, w, h; give four different keys",
    "constants: {crop_imag.action: zoom}": "No operation of a constant named 'crop_imag'. Did you mean 'crop_image'?",
    "constants: {action: zoom}": "No operation of a constant named 'action'",
    f"coordinates: {{unit: grid, cells: 1{'0' * 400}}}": "a grid of coordinates has more than 1000000 cells",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_a_file_is_named_in_one_line_with_what_is_wanted(text, folder):
    with pytest.raises((ConfigError, UnknownNameError)) as raised:
        named(f"base: default\n{text}\n")
    assert MISTAKES[text] in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"base: default\n  a: [\n", "the dialect my.yaml, line 2, column 4, is not valid YAML"),
        (b"base: default\nstop: [a\nsystem: b\n", "my.yaml, line 3, column 7, is not valid YAML"),
        (b"base: default\n? [a]\n: b\n", "my.yaml, line 2, column 3, is not valid YAML: a key is not a text"),
        (b"base: default\n{a: b}: c\n", "is not valid YAML"),
        (b"base: default\nbase: tiny\n", "my.yaml, line 2, column 1, is not valid YAML: base is set twice"),
        (
            b"base: default\nedges:\n  padding: 1\n  padding: 2\n",
            "line 4, column 3, is not valid YAML: padding is set twice",
        ),
        (b"base: !!python/object:os.system x\n", "line 1, column 7, is not valid YAML"),
        (b"a: \x00\n", "is not valid YAML: unacceptable character #x0000"),
        (b"system: 2024-99-99\n", "is not valid YAML: month must be in 1..12"),
        (b"a: " + b"[" * 2000, "is not valid YAML: maximum recursion depth"),
        (b"base: \xff\n", "the dialect my.yaml is not text in UTF-8"),
        (b"- base\n", "the dialect my.yaml holds a list; wanted: keys and values"),
        (b"default\n", "the dialect my.yaml holds a text; wanted"),
        (b"# nothing\n", "the dialect my.yaml holds nothing; wanted"),
        (b"system: Hi.\n", "my.yaml has no calls, coordinates, budgets. Give them, or `base: NAME`"),
        (b"base: defalt\n", "The base of my.yaml is unknown: No dialect named 'defalt'. Did you mean 'default'?"),
        (b"base: default:notol\n", "The base of my.yaml is unknown: No dialect variant named 'notol'"),
        (b"base: missing.yaml\n", "cannot read the dialect missing.yaml: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(content, message, folder):
    (folder / "my.yaml").write_bytes(content)
    with pytest.raises((ConfigError, UnknownNameError)) as raised:
        dialect_named("my.yaml")
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_named(folder):
    (folder / "folder.yaml").mkdir()
    with pytest.raises(
        ConfigError, match=r"cannot read the dialect my\.yaml: No such file or directory\. Give the path"
    ):
        dialect_named("my.yaml")
    with pytest.raises(ConfigError, match=r"cannot read the dialect folder\.yaml: Is a directory"):
        dialect_named("folder.yaml")


def test_a_link_to_itself_is_named(folder):
    (folder / "loop.yaml").symlink_to("loop.yaml")
    with pytest.raises(ConfigError, match=r"cannot read the dialect loop\.yaml: Too many levels of symbolic links"):
        dialect_named("loop.yaml")


def test_templates_of_a_dialect_in_python_are_checked_too():
    with pytest.raises(ConfigError, match=r"'expected' of the dialect 'default' has the field \{\}"):
        PixelEnv([tiny_task()], dialect=replace(DEFAULT, wording=replace(DEFAULT.wording, expected="\\boxed{}")))

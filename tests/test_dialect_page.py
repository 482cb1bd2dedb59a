"""docs/dialects.md: its files are dialects, its commands run, and what it prints is what they print."""

import re
import shlex

import pytest

from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.cli import main
from pixel_env.dialects import dialect_named
from pixel_env.operations import CropImage
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```yaml\n(?=# (\w+\.yaml)\n)(.*?)```", PAGE, re.DOTALL))
COMMANDS = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A working folder with the files of the page."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")


def test_every_file_of_the_page_has_a_name_and_is_a_dialect(files):
    assert set(FILES) == {"zoom.yaml", "answer_only.yaml"} and PAGE.count("```yaml") == len(FILES)
    call = '<zoom>{"bbox": [0, 0, 1200, 500], "label": "card"}</zoom>'
    assert parse(call, dialect_named("zoom.yaml")) == CropImage(0, Box(0, 0, 1, 0.5))
    assert not dialect_named("answer_only.yaml").offers_calls


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_run(command, files, capsys):
    assert main(shlex.split(command)[1:]) == 0


def test_what_the_page_says_is_printed_is_printed(files, capsys):
    [printed] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert main(["dialect", "show", "zoom.yaml"]) == 0
    assert f"\n{printed}" in capsys.readouterr().out


def test_the_page_names_what_a_part_replaces(files, tmp_path):
    """`edges`, ... change only the fields that they name; `names` and others replace the base's."""
    (tmp_path / "own.yaml").write_text(
        "base: zoom.yaml\nedges: {min_side: 1}\nkeys: {}\nwording: {expected: Go on.}\nbudgets: {crop: {factor: 16}}\n"
    )
    base, own = dialect_named("zoom.yaml"), dialect_named("own.yaml")
    assert own.edges.rounding == "down" and own.wording.question == base.wording.question and own.keys == {}
    assert own.budgets.crop.max_pixels == base.budgets.crop.max_pixels

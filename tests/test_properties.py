"""A property reads no disk: what an object says of itself does not change because a file does."""

import ast

import pytest

from tests.paths import ROOT

PACKAGES = ("pixel_env", "agents", "rewards", "synth", "benchmarks")
READS = {"open", "read_text", "read_bytes", "exists", "is_file", "is_dir", "glob", "rglob", "iterdir", "stat"}
READS |= {"load_tasks", "read_prompt_file", "weights_hash", "read_configuration", "read_evaluation", "engine_chosen"}
SOURCES = {
    ("pixel_env/media/sources.py", "key"): "an image file is known by its content, which is read once",
    ("pixel_env/tasks/files/clips.py", "key"): "a video file is known by its size and its time, which are read once",
}


def reads_in_properties(text):
    """(property, call) for each call in a property that reads a disk, by name."""
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef) and any(
            isinstance(mark, ast.Name) and mark.id in ("property", "cached_property")
            for mark in function.decorator_list
        ):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if name in READS:
                    yield function.name, name


def test_a_read_in_a_property_is_found():
    text = "class A:\n    @property\n    def words(self):\n        return self.path.read_text()\n"
    assert list(reads_in_properties(text)) == [("words", "read_text")]
    assert list(reads_in_properties(text.replace("    @property\n", ""))) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_property_reads_a_disk_but_the_keys_of_files(package):
    for path in sorted((ROOT / package).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        found = [one for one in reads_in_properties(path.read_text(encoding="utf-8")) if (file, one[0]) not in SOURCES]
        assert found == [], file

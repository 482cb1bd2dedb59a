"""`make mutants` itself: its list fits the code, and its verdicts are what they say."""

import ast
from functools import cache

import pytest

from tests.definitions import definition_named
from tests.mutants import command
from tests.mutants.mutant import Mutant, StaleMutantError, definition_of, make
from tests.mutants.table import MUTANTS
from tests.paths import ROOT


@cache
def functions_in(file):
    """The names of all functions of a file, those of classes included."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_made_and_names_tests_that_exist(mutant):
    changed = definition_of(mutant, ROOT).text.replace(mutant.old, mutant.new)
    assert changed != definition_of(mutant, ROOT).text
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file() and (not name or name in functions_in(file))


def test_no_two_mutants_have_one_name_or_make_one_change():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.target, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


# ------------------------------------------------------------------------------------------------- targets by name


@pytest.fixture
def small_checkout(tmp_path):
    """A checkout with one module, in which `old` and `LIMIT` stand in two definitions each."""
    (tmp_path / "pixel_env" / "deep").mkdir(parents=True)
    module = tmp_path / "pixel_env" / "deep" / "module.py"
    module.write_text(
        "LIMIT: int = 1\n\n\nclass Box:\n    LIMIT = 2\n\n    @property\n    def side(self):\n        return old\n\n\n"
        "def read():\n    return old\n"
    )
    return module


def made(target, root, old="old"):
    make(Mutant("a name", target, old, "new", ("tests/test_mutants.py",)), root, root)


@pytest.mark.parametrize(("target", "line"), [("read", 12), ("Box.side", 8), ("deep.module.read", 12), ("side", 8)])
def test_only_the_definition_of_that_name_is_changed(small_checkout, target, line):
    before = small_checkout.read_text().splitlines()
    made(target, small_checkout.parents[2])
    after = small_checkout.read_text().splitlines()
    assert [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other] == [line]
    assert after[line].strip() == "return new"


def test_a_definition_is_found_after_its_module_has_moved(small_checkout):
    root = small_checkout.parents[2]
    (root / "agents").mkdir()
    small_checkout.rename(root / "agents" / "renamed.py")
    made("Box.side", root)
    assert "return new" in (root / "agents" / "renamed.py").read_text()


@pytest.mark.parametrize(
    ("target", "old", "reason"),
    [
        ("reed", "old", "no definition is named 'reed'"),
        ("LIMIT", "1", r"2 definitions are named 'LIMIT': .*module\.LIMIT, .*Box\.LIMIT.*more of the dotted name"),
        ("read", "older", "found 0 times in pixel_env.deep.module.read"),
        ("Box.side", "e", "found 5 times"),
        ("ide", "old", "no definition is named 'ide'"),
    ],
)
def test_a_stale_mutant_says_what_to_correct(small_checkout, target, old, reason):
    with pytest.raises(StaleMutantError, match=f"{reason}.*Correct the"):
        made(target, small_checkout.parents[2], old)


# -------------------------------------------------------------------------------------------------------- verdicts


@pytest.fixture
def one_mutant(monkeypatch):
    """The list holds one mutant; the tests end with the exit codes that are given, the unchanged run first."""

    def install(*codes, old="OVERHANG = 0.02"):
        mutant = Mutant("a rule is off", "boxes.OVERHANG", old, "OVERHANG = 0.5", ("tests/x.py",))
        file = definition_named(mutant.target, ROOT).file
        seen = []

        def run_tests(copy, tests):
            seen.append((copy / file).read_text(encoding="utf-8").count(mutant.new))
            return codes[len(seen) - 1], "FAILED tests/x.py::test_that_noticed - assert"

        monkeypatch.setattr(command, "MUTANTS", (mutant,))
        monkeypatch.setattr(command, "run_tests", run_tests)
        return seen

    return install


def test_a_mutant_is_made_in_a_copy_and_caught_by_the_test_that_fails(one_mutant, capsys):
    path = ROOT / definition_named("boxes.OVERHANG", ROOT).file
    before = path.read_bytes()
    seen = one_mutant(0, 1)
    assert command.main([]) == 0
    assert seen == [0, 1] and "1 of 1 caught" in capsys.readouterr().out
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("codes", "old", "said"),
    [
        ((0, 0), "OVERHANG = 0.02", "SURVIVED"),
        ((0, 4), "OVERHANG = 0.02", "no verdict"),
        ((0,), "OVERHANG = 0.03", "found 0 times"),
        ((1,), "OVERHANG = 0.02", "fail without any change"),
    ],
)
def test_what_is_not_caught_for_the_right_reason_makes_the_exit_code_1(one_mutant, capsys, codes, old, said):
    one_mutant(*codes, old=old)
    assert command.main([]) == 1
    assert said in capsys.readouterr().out

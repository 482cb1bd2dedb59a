"""`make mutants` itself: its list fits the code, and its verdicts are what they say."""

import importlib.util
import sys

import pytest

from tests.paths import ROOT


def load_mutants():
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tests" / "mutants.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


mutants = load_mutants()


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_made_and_names_tests_that_exist(mutant):
    assert mutants.problem_with(mutant) is None and mutant.old != mutant.new
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


@pytest.fixture
def one_mutant(monkeypatch):
    """The list holds one mutant; the tests end with the exit codes that are given, the unchanged run first."""

    def install(*codes, old="OVERHANG = 0.02"):
        mutant = mutants.Mutant("a rule is off", "pixel_env/boxes.py", old, "OVERHANG = 0.5", ("tests/x.py",))
        seen = []

        def run_tests(copy, tests):
            seen.append((copy / "pixel_env" / "boxes.py").read_text(encoding="utf-8").count(mutant.new))
            return codes[len(seen) - 1], "FAILED tests/x.py::test_that_noticed - assert"

        monkeypatch.setattr(mutants, "MUTANTS", (mutant,))
        monkeypatch.setattr(mutants, "run_tests", run_tests)
        return seen

    return install


def test_a_mutant_is_made_in_a_copy_and_caught_by_the_test_that_fails(one_mutant, capsys):
    before = (ROOT / "pixel_env" / "boxes.py").read_bytes()
    seen = one_mutant(0, 1)
    assert mutants.main([]) == 0
    assert seen == [0, 1] and "1 of 1 caught" in capsys.readouterr().out
    assert (ROOT / "pixel_env" / "boxes.py").read_bytes() == before


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
    assert mutants.main([]) == 1
    assert said in capsys.readouterr().out

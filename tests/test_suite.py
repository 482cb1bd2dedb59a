"""The tests as a tool: what runs where, what the quick part is, and that nothing stands twice."""

import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import pytest

from tests import groups, quick
from tests.paths import ROOT, TESTS

SMALL = ("tests/pixel_env/test_budgets.py", "tests/pixel_env/test_views.py", "tests/rewards/test_rewards.py")
FILES = sorted(TESTS.rglob("*.py"))


def run_pytest(*arguments, **environment):
    """Exit code and output of a run of tests in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


# --------------------------------------------------------------------------------------------- several processes


@dataclass
class Item:
    """What of a test decides where it runs."""

    nodeid: str
    fixturenames: tuple[str, ...] = ()


@pytest.mark.parametrize("member", [*(one for members in groups.GROUPS.values() for one in members), *groups.LONG])
def test_every_member_of_a_group_exists(member):
    file, _, name = member.partition("::")
    assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


def test_members_of_a_group_are_one_unit_and_any_other_file_is_one_by_itself():
    ids = [f"{member}::test_a" for member in groups.GROUPS["process groups"]]
    assert {groups.unit_of(test_id) for test_id in ids} == {"process groups"}
    exactness = "tests/agents/grpo/test_exactness.py"
    assert groups.unit_of(f"{exactness}::test_vllm_and_trainer_agree_on_every_token_of[1]") == "vllm"
    assert groups.unit_of(f"{exactness}::test_of_another_kind[a::b]") == exactness
    assert groups.unit_of("tests/test_cli.py::test_a") == "tests/test_cli.py"


def test_long_units_start_first_and_the_rest_keeps_its_order():
    ids = ["tests/test_b.py::b", "tests/test_a.py::a", f"{groups.LONG[0]}::l", f"{groups.GROUPS['vllm'][0]}::v"]
    arranged = [item.nodeid for item in groups.long_ones_first([Item(test_id) for test_id in ids])]
    assert arranged == [ids[3], ids[2], ids[0], ids[1]]


def test_a_test_that_would_build_a_shared_fixture_in_another_process_is_refused():
    with pytest.raises(pytest.UsageError, match=r"tests/test_a\.py::a uses the fixture vllm_of_tiny_zoom.*groups\.py"):
        groups.long_ones_first([Item("tests/test_a.py::a", ("tmp_path", "vllm_of_tiny_zoom"))])


def test_two_processes_run_the_same_tests_as_one_and_divide_no_file():
    _, listed = run_pytest("--collect-only", "-q", *SMALL)
    two = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-v")
    code, printed = run_pytest(*two, *SMALL)
    assert code == 0, printed
    ran = re.findall(r"\[(gw\d)\] \[ *\d+%\] PASSED (\S+::.+?) *$", printed, re.MULTILINE)
    assert sorted(test_id for _, test_id in ran) == sorted(re.findall(r"(?m)^tests/\S+::.+$", listed))
    processes = defaultdict(set)
    for process, test_id in ran:
        processes[test_id.partition("::")[0]].add(process)
    assert set(processes) == set(SMALL) and all(len(of_file) == 1 for of_file in processes.values())


def test_what_a_machine_must_have_and_lacks_fails_a_run_of_two_processes(tmp_path):
    code, printed = run_pytest("-n", "2", SMALL[0], PATH=str(tmp_path), PIXEL_ENV_REQUIRE="browser")
    assert code == pytest.ExitCode.USAGE_ERROR and "browser, not installed here. Run: apt-get install" in printed


# ------------------------------------------------------------------------------------------------- the quick part


@pytest.mark.parametrize("top", [*quick.QUICK, *quick.LONG])
def test_every_entry_of_the_quick_part_exists(top):
    assert (ROOT / top).exists()


def test_the_quick_part_runs_nothing_else_and_says_so():
    others = ("tests/benchmarks/demo", "tests/synth/text_only")
    code, printed = run_pytest("--quick", "--collect-only", "-q", SMALL[0], *others)
    assert code == 0 and "quick part: " in printed and "`make test` runs all" in printed
    assert set(re.findall(r"(?m)^(tests/\S+)::", printed)) == {SMALL[0]}


def test_the_quick_part_needs_no_group_and_is_called_by_make():
    members = [member.partition("::")[0] for group in groups.GROUPS.values() for member in group]
    assert not [member for member in members if quick.is_quick(ROOT / member)]
    assert "--quick" in (ROOT / "Makefile").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------- nothing stands twice


@cache
def functions_of(file):
    return [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)]


def is_fixture(function):
    return any("fixture" in ast.dump(decorator) for decorator in function.decorator_list)


def test_no_fixture_of_two_lines_and_no_function_of_three_stands_in_two_files():
    places = defaultdict(set)
    for file in FILES:
        for function in functions_of(file):
            statements = function.body[1:] if ast.get_docstring(function) else function.body
            text = "\n".join(map(ast.unparse, statements))
            if text.count("\n") >= (1 if is_fixture(function) else 2):
                places[ast.unparse(function.args), text].add(file.relative_to(ROOT).as_posix())
    assert [sorted(files) for files in places.values() if len(files) > 1] == []


def test_a_fixture_that_is_built_once_in_all_has_a_name_of_its_own():
    files = defaultdict(list)
    for file in FILES:
        for function in functions_of(file):
            if any("scope='session'" in ast.unparse(decorator) for decorator in function.decorator_list):
                files[function.name].append(file.relative_to(ROOT).as_posix())
    assert {name: found for name, found in files.items() if len(found) > 1} == {}


def test_no_test_finds_the_checkout_by_its_own_depth():
    found = [file for file in FILES if re.search(r"__file__\)?.*parents\[|parent\.parent", file.read_text("utf-8"))]
    assert [file for file in found if file.name != "test_suite.py"] == []


CLOCKS = {"cpu_seconds", "cpu_seconds_of_children", "process_time", "monotonic"}


def limits_in_seconds(text):
    """The comparisons that a slow machine breaks: what a clock tells is less than a number."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE):
            called = (ast.unparse(call.func) for call in ast.walk(node.left) if isinstance(call, ast.Call))
            if {name.rpartition(".")[2] for name in called} & CLOCKS and isinstance(node.comparators[0], ast.Constant):
                yield ast.unparse(node)


def test_a_limit_in_seconds_is_found():
    assert list(limits_in_seconds("assert min(cpu_seconds(read) for _ in range(3)) < 2")) != []
    assert list(limits_in_seconds("assert time.monotonic() - start <= 0.5")) != []
    assert list(limits_in_seconds("assert cpu_seconds(read) < 3 * cpu_seconds(write)")) == []
    assert list(limits_in_seconds("assert time.monotonic() - start >= 0.5")) == []


def test_limits_on_time_are_ratios():
    texts = {file: file.read_text(encoding="utf-8") for file in FILES}
    read = [file for file, text in texts.items() if any(clock in text for clock in CLOCKS)]
    assert {file.name: limits for file in read if (limits := list(limits_in_seconds(texts[file])))} == {}


def test_limits_on_time_are_not_on_wall_time():
    clocks = re.compile(r"\bperf_counter\b|\btime\.time\(\)\s*-|mark\.timeout\(")
    found = [file for file in FILES if clocks.search(file.read_text(encoding="utf-8"))]
    assert [file for file in found if file.name != "test_suite.py"] == []

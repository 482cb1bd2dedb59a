"""Fixtures of all tests, their groups for several processes, the quick part, and what a machine must have.

PIXEL_ENV_REQUIRE=browser,vllm,index fails a run in which their tests could not run.
"""

import importlib.util
import os
import shutil

import pytest

from tests import groups, quick

pytest_plugins = ["tests.installations", "tests.models", "tests.own_engine"]

CHROMIUM = shutil.which("chromium")
OPTIONAL = {
    "browser": (CHROMIUM is not None, "apt-get install chromium"),
    "vllm": (importlib.util.find_spec("vllm") is not None, "make install-vllm"),
}
"""What some tests need and not every machine has: whether it is here, and the command that brings it."""


@pytest.fixture
def prompt(tmp_path):
    """A prompt file of a user's own."""
    file = tmp_path / "vcot.txt"
    file.write_text("\n\nSay it in \\boxed{}.", encoding="utf-8")
    return file


def missing():
    return [name for name, (is_here, _) in OPTIONAL.items() if not is_here]


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="run the quick part of the tests (tests/quick.py)")


def pytest_report_header(config):
    return quick.what_runs(config)


def pytest_ignore_collect(collection_path, config):
    is_left_out = config.getoption("quick") and collection_path.name.startswith("test_")
    return True if is_left_out and not quick.is_quick(collection_path) else None


def pytest_sessionstart(session):
    required = os.environ.get("PIXEL_ENV_REQUIRE", "").split(",")
    absent = [name for name in missing() if name in required]
    if absent:
        commands = " and ".join(OPTIONAL[name][1] for name in absent)
        raise pytest.UsageError(f"PIXEL_ENV_REQUIRE asks for {', '.join(absent)}, not installed here. Run: {commands}")


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = groups.long_ones_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return groups.Units(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter, config):
    part = quick.what_runs(config)
    if part is not None:
        terminalreporter.write_line(part)
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        commands = ", ".join(sorted({OPTIONAL[name][1] for name in missing()})) or "the reasons stand under -rs"
        terminalreporter.write_line(f"{len(skipped)} tests or files did not run here: {commands}")

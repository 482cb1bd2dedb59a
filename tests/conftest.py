"""Fixtures of all tests, their groups for several processes, and what a machine must have.

PIXEL_ENV_REQUIRE=browser,vllm fails a run in which their tests could not run.
"""

import importlib.util
import os
import shutil

import pytest

from tests import groups

pytest_plugins = ["tests.models"]

CHROMIUM = shutil.which("chromium")
OPTIONAL = {
    "browser": (CHROMIUM is not None, "apt-get install chromium"),
    "vllm": (importlib.util.find_spec("vllm") is not None, "make install-vllm"),
}
"""What some tests need and not every machine has: whether it is here, and the command that brings it."""


def missing():
    return [name for name, (is_here, _) in OPTIONAL.items() if not is_here]


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


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        commands = ", ".join(sorted({OPTIONAL[name][1] for name in missing()})) or "the reasons stand under -rs"
        terminalreporter.write_line(f"{len(skipped)} tests or files did not run here: {commands}")

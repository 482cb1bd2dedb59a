"""What is asked of a machine: PIXEL_ENV_REQUIRE=vllm fails a run in which vLLM's tests could not run."""

import importlib.util
import os

import pytest

OPTIONAL = {"vllm": "make install-vllm"}
"""Marks of tests that need a package which is not everywhere, and the command that brings it."""


def missing():
    return [name for name in OPTIONAL if importlib.util.find_spec(name) is None]


def pytest_sessionstart(session):
    required = os.environ.get("PIXEL_ENV_REQUIRE", "").split(",")
    absent = [name for name in missing() if name in required]
    if absent:
        commands = " and ".join(OPTIONAL[name] for name in absent)
        raise pytest.UsageError(f"PIXEL_ENV_REQUIRE asks for {', '.join(absent)}, not installed here. Run: {commands}")


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        commands = ", ".join(sorted({OPTIONAL[name] for name in missing()})) or "the reasons stand under -rs"
        terminalreporter.write_line(f"{len(skipped)} tests or files did not run here: {commands}")

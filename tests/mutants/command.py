"""Breaks the library on purpose, one thing at a time, and checks that a test notices: `make mutants`.

    python -m tests.mutants                    # all of them, two at a time
    python -m tests.mutants overhang sampled   # those whose name contains one of the words
    python -m tests.mutants --jobs 1 --list

Each mutant replaces one text in a temporary copy of the checkout and runs the tests that are about it; the working
tree is never touched. The tests run once unchanged first, so that a mutant is not "caught" by a test that was broken
anyway. The exit code is 1 if a mutant survives, if its text is no longer found exactly once, or if its tests do not
run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.definitions import PACKAGES
from tests.mutants.mutant import Mutant, StaleMutantError, make
from tests.mutants.table import MUTANTS
from tests.paths import ROOT

COPIED = (*PACKAGES, "examples", "docs", "tests", "pyproject.toml", "README.md")
TIMEOUT_S = 600
TESTS_PASS, TESTS_FAIL = 0, 1
"""pytest's exit codes; any other means that no verdict was reached."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant; `is_caught` is what is wanted, `detail` names the test or says what went wrong."""

    mutant: Mutant
    is_caught: bool
    detail: str
    seconds: float


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """A temporary folder with what the tests need."""
    with tempfile.TemporaryDirectory(prefix="pixel_env_mutant_") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy2(source, copy / name)
        yield copy


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """pytest's exit code in `copy`, stopping at the first failure, and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    # No byte code: a mutant of the same length, written in the same second, would be taken for the original.
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return -1, f"no end after {TIMEOUT_S} s"
    return done.returncode, done.stdout + done.stderr


def tried(mutant: Mutant) -> Verdict:
    """The mutant made, in a copy of its own, and its tests run."""
    started = time.monotonic()
    with copy_of_checkout() as copy:
        try:
            make(mutant, ROOT, copy)
        except StaleMutantError as error:
            return Verdict(mutant, False, str(error), 0.0)
        code, printed = run_tests(copy, mutant.tests)
    seconds = time.monotonic() - started
    if code == TESTS_FAIL:
        failed = [line for line in printed.splitlines() if line.startswith("FAILED")]
        return Verdict(mutant, True, failed[0].split("::")[-1].split(" ")[0] if failed else "", seconds)
    if code == TESTS_PASS:
        return Verdict(mutant, False, f"SURVIVED {' '.join(mutant.tests)}", seconds)
    return Verdict(mutant, False, f"no verdict, pytest ended with {code}: {printed.strip()[-300:]}", seconds)


def check_unchanged(mutants: Sequence[Mutant]) -> str | None:
    """Why the tests of these mutants say nothing (one of them fails without any change), or None."""
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    with copy_of_checkout() as copy:
        code, printed = run_tests(copy, tests)
    return None if code == TESTS_PASS else f"the tests fail without any change:\n{printed[-3000:]}"


def main(argv: Sequence[str] | None = None) -> int:
    """Tries the chosen mutants and prints one line for each. Returns the exit code."""
    options = _parser().parse_args(argv)
    chosen = [m for m in MUTANTS if not options.words or any(word in m.name for word in options.words)]
    if options.list or not chosen:
        print("\n".join(mutant.name for mutant in MUTANTS))
        return 0 if options.list else 1
    started = time.monotonic()
    broken = check_unchanged(chosen)
    if broken is not None:
        print(broken)
        return 1
    print(f"unchanged: the tests pass ({time.monotonic() - started:.0f} s)", flush=True)
    caught = 0
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for verdict in pool.map(tried, chosen):
            caught += verdict.is_caught
            mark = "caught  " if verdict.is_caught else "MISSED  "
            print(f"{mark}{verdict.mutant.name:<66}{verdict.seconds:5.0f} s  {verdict.detail}", flush=True)
    print(f"{caught} of {len(chosen)} caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(chosen) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="parts of the names of the mutants to try; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time (%(default)s)")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    return parser

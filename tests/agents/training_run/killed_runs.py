"""Trains in children of one process that has the libraries loaded; some are killed. Called by `test_killed_runs.py`.

python killed_runs.py FOLDER SEED KILLS COMMAND [flags]: trains undisturbed into FOLDER/whole and, killed so many times
at random moments and started again by the same command, into FOLDER/killed. Prints a JSON list of where it was killed.
"""

import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

import agents.grpo.training
import agents.sft.training  # noqa: F401
from pixel_env.cli import main


def child(words: list[str], events: int | None = None) -> int:
    """Starts a training in a child, which kills itself at the event of this number in its folder; its process id."""
    process = os.fork()
    if process == 0:
        output = os.open(os.devnull, os.O_WRONLY)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if events is not None:
            sys.addaudithook(_killer(events))
        os._exit(main(words))
    return process


def _killer(events: int) -> Callable[[str, tuple[object, ...]], None]:
    """Kills this process at the event of this number about a file of the run."""
    numbers = itertools.count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        is_counted = event in ("open", "os.rename", "os.remove", "os.mkdir") and "/killed" in str(arguments[0])
        if is_counted and next(numbers) == events:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def ended(process: int, after_s: float | None = None) -> int:
    """The exit code, or the negative signal, of a child that is killed after so many seconds."""
    until = None if after_s is None else time.monotonic() + after_s
    while True:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if until is not None and time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
            until = None
        time.sleep(0.005)


def steps_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


if __name__ == "__main__":
    folder, seed, kills, words = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    torch.set_num_threads(1)
    rng = random.Random(seed)
    began = time.monotonic()
    assert ended(child([*words, "--output_dir", str(folder / "whole")])) == 0
    whole_s = time.monotonic() - began
    rows = []
    for number in range(kills):
        for _ in range(50):
            by_event = number % 2 == 0
            moment = rng.randrange(60) if by_event else rng.uniform(0.2, 0.8) * whole_s
            arguments = (moment, None) if by_event else (None, moment)
            code = ended(child([*words, "--output_dir", str(folder / "killed")], arguments[0]), arguments[1])
            if code == -signal.SIGKILL:
                break
            assert code == 0, code
        rows.append([by_event, moment, steps_in(folder / "killed")])
    assert ended(child([*words, "--output_dir", str(folder / "killed")])) == 0
    print(json.dumps(rows))

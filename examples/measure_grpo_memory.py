"""Resident memory over a long GRPO run of the embedded model, and what it is made of.

    OMP_NUM_THREADS=1 python examples/measure_grpo_memory.py                     # 300 steps of 2 questions
    OMP_NUM_THREADS=1 python examples/measure_grpo_memory.py --questions 12      # as many as `tiny_grpo_paper` has

The run is that of `tiny_grpo_paper` with fewer questions a step, each question seen once, and with sample replay. A row
is written after a step (`--every`), all in MiB:

    RSS           the process's resident memory: about the sum of libraries, Python, in use and slack
    libraries     pages of files: the code of torch and of all other libraries
    Python        blocks of Python's own allocator: modules, classes, the log of the steps, everything small
    in use        what is allocated from the C library: weights, optimizer, pictures, tensors, caches
      pictures    of it, decoded pictures (bound: 256) and shown ones (bound: 256)
      features    of it, the image processor's output for pictures (bound: 256)
      replay      of it, the tensors of the replay buffer
    slack         freed, and kept by the C library for the next allocation

At the end `malloc_trim` gives the slack back, to show that nothing else holds it. Linux with glibc alone.
"""

import argparse
import ctypes
import gc
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil
from transformers import TrainerCallback

from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.media.cache import CACHE
from pixel_env.media.showing import SHOWN
from pixel_env.tasks import load_tasks

MIB = 2**20
GROUP = 8
_LIBC = ctypes.CDLL("libc.so.6")


class _Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


_LIBC.mallinfo2.restype = _Mallinfo


@dataclass(frozen=True, slots=True)
class Memory:
    """What the process holds after a step, in MiB but for `step`."""

    step: int
    rss: int
    libraries: int
    python: int
    in_use: int
    pictures: int
    features: int
    replay: int
    slack: int


@contextmanager
def stderr_into(file: Any) -> Iterator[None]:
    """What is written to the descriptor of stderr, by C code too, goes into `file`."""
    own = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


def python_bytes() -> int:
    """Bytes of the arenas of Python's own allocator, of which it tells on stderr alone."""
    with tempfile.TemporaryFile() as file:
        with stderr_into(file):
            sys._debugmallocstats()
        file.seek(0)
        found = re.search(rb"arenas \* \d+ bytes/arena\s*=\s*([\d,]+)", file.read())
    assert found is not None, "CPython prints it"
    return int(found[1].replace(b",", b""))


def memory_of(trainer: PixelGRPOTrainer, step: int) -> Memory:
    """The parts of this process's memory."""
    held, malloc = psutil.Process().memory_info(), _LIBC.mallinfo2()
    kept = [] if trainer._replay is None else trainer._replay._buffer.state()
    replayed = sum(values.nbytes for one in kept for values in one.sample.columns.values())
    parts = {
        "rss": held.rss,
        "libraries": held.shared,
        "python": python_bytes(),
        "in_use": malloc.uordblks + malloc.hblkhd,
        "pictures": CACHE.kept_bytes + SHOWN.kept_bytes,
        "features": trainer.chat._features._kept.currsize,
        "replay": replayed,
        "slack": malloc.fordblks,
    }
    return Memory(step, **{name: int(value) // MIB for name, value in parts.items()})


class Watch(TrainerCallback):
    """Measures after every so many steps; a row is written to `file` as soon as it is known."""

    def __init__(self, every: int, file: Path | None) -> None:
        self.every, self.file = every, file
        self.trainer: Any = None
        self.rows: list[Memory] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 1 or state.global_step % self.every == 0:
            gc.collect()
            self.rows.append(memory_of(self.trainer, state.global_step))
            if self.file is not None:
                with self.file.open("a") as out:
                    out.write(json.dumps(asdict(self.rows[-1])) + "\n")


def measured(options: argparse.Namespace) -> list[Memory]:
    """The rows of one run, in this process; the last one is after `malloc_trim`."""
    rows = options.questions * GROUP
    watch = Watch(options.every, options.file)
    with tempfile.TemporaryDirectory() as folder:
        args = PixelGRPOConfig(
            output_dir=folder,
            dialect="tiny",
            group_reward="paper",
            max_turns=2,
            max_turn_tokens=8,
            max_completion_length=16,
            num_generations=GROUP,
            per_device_train_batch_size=rows,
            rollout_batch_size=48,
            replay_capacity=options.replay_capacity,
            max_steps=options.steps,
            learning_rate=1e-4,
            gradient_checkpointing=False,
            save_strategy="no",
            logging_steps=1,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        )
        tasks = load_tasks("sample:vstar-tiny", split="train", count=options.questions * options.steps)
        watch.trainer = PixelGRPOTrainer("tiny-warm", tasks, args, callbacks=[watch])
        watch.trainer.train()
    _LIBC.malloc_trim(0)
    return [*watch.rows, memory_of(watch.trainer, options.steps)]


def table(rows: Sequence[Memory]) -> str:
    """All rows, and how much memory grows over the second half of the run."""
    *of_run, trimmed = rows
    names = [field.name for field in fields(Memory)]
    lines = ["".join(f"{name.replace('_', ' '):>11}" for name in names)]
    lines += ["".join(f"{value:11}" for value in asdict(row).values()) for row in of_run]
    half = [row for row in of_run if row.step >= of_run[-1].step / 2]
    lines.append(f"RSS from step {half[0].step} to step {half[-1].step}: {half[-1].rss - half[0].rss:+} MiB")
    lines.append(f"after malloc_trim: RSS {trimmed.rss} MiB, {trimmed.rss - of_run[-1].rss:+} MiB")
    return "\n".join(lines)


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--questions", type=int, default=2, help="questions of a step, 8 rollouts each")
    parser.add_argument("--replay_capacity", type=int, default=128, help="rollouts kept for replay; 0: none")
    parser.add_argument("--every", type=int, default=20, help="steps between two rows")
    parser.add_argument("--file", type=Path, help="write each row as JSON while the run goes on")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> list[Memory]:
    rows = measured(parsed(argv))
    print(table(rows))
    return rows


if __name__ == "__main__":
    main()

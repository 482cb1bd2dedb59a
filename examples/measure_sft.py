"""Training tokens per second beside TRL's own vision collator, on the same traces of the same model.

    OMP_NUM_THREADS=1 python examples/measure_sft.py                # 192 traces of all kinds, 8 rows a batch
    OMP_NUM_THREADS=1 python examples/measure_sft.py --batch 4

The traces are those of the method's mix: images, videos (16 images) and texts, narrated by templates, over JPEG files.
Ours: `PixelSFTTrainer` as it is by default, which decodes and crops the files, plays the traces and groups them by
length. TRL's: `SFTTrainer` with `DataCollatorForVisionLanguageModeling` on the same conversations as messages; its rows
hold every picture already cut and resized, as PNG, so that it has no trace to play. Its loss is that of all tokens,
ours that of the assistant's (TRL's mask needs a later transformers than vLLM allows); the model computes both alike.

Each side runs in a process of its own, one after the other, for one epoch, after a batch of other traces that is not
counted. Every row of the epoch is: ours begins with the longest, TRL's wherever chance has it. A token is one that
attention sees: padding is work, not tokens. TRL's rows are decoded before its collator is called: that is in the
epoch's seconds, not in those of collating. `CPU` is the process's own time, which another program on the machine
disturbs less than the wall's.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, Image, List, Value
from own_process import printed_by
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load
from agents.rollout import EpisodeSettings
from agents.sft.collator import PlayedTrace, play
from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.trace import Trace
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.media.encoding import encoded
from pixel_env.media.sources import FileSource
from pixel_env.task import Task, TaskSet
from pixel_env.types import Limits
from synth.plans.mix import PAPER, draw_plans
from synth.plans.plan import Plan, traced
from synth.seed_data.embedded import embedded_seeds
from synth.teachers.template.teacher import narrated
from synth.text_only.tasks import text_tasks

MODEL = "tiny-base"
SIDES = ("ours", "TRL")
BUDGETS = view_budgets(*[(64 * 64, 192 * 192), (64 * 64, 128 * 128), (32 * 32, 64 * 64), (64 * 64, 96 * 96)], factor=16)
"""Pictures of up to 144, 64, 16 and 36 tokens: proportions as in the dialects, for a model of 2 M parameters."""
DIALECT = replace(dialect_named("default"), system="", shows_tools=False, budgets=BUDGETS)
LIMITS = Limits(max_turns=8, max_images=40)


@dataclass(frozen=True, slots=True)
class Measured:
    """One side: tokens that attention saw and tokens computed in an epoch; its seconds (wall, CPU)."""

    tokens: int
    computed: int
    seconds: Sequence[float]
    collating_s: Sequence[float]
    rows: int


# ---------------------------------------------------------------------------------------------------------- traces


def made_traces(count: int, folder: Path) -> list[Trace]:
    """Traces of the method's mix; their pictures are JPEG files in `folder`."""
    seeds = embedded_seeds("train", 4 * count)
    plans = draw_plans([*seeds.tasks, *text_tasks(count)], PAPER, count, seed=0).plans
    traces = [(plan, narrated(plan, seed=0)) for plan in (_on_files(plan, folder) for plan in plans)]
    return [traced(plan, narration, DIALECT) for plan, narration in traces]


def _on_files(plan: Plan, folder: Path) -> Plan:
    task: Task = plan.task
    paths = [folder / f"{source.key.replace('/', '-')[:100]}.jpg" for source in task.sources]
    for source, path in zip(task.sources, paths, strict=True):
        if not path.exists():
            source.decode().save(path, quality=90)
    return replace(plan, task=replace(task, sources=tuple(FileSource(path) for path in paths)))


# ----------------------------------------------------------------------------------------------------------- sides


class _Clock(TrainerCallback):
    """When training began, and when each step ended."""

    def __init__(self) -> None:
        self.readings: list[np.ndarray] = []

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.readings.append(clocks())

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.readings.append(clocks())


class _Counted:
    """A collator whose batches are counted, and its time."""

    def __init__(self, collator: Any) -> None:
        self._collator = collator
        self.batches: list[tuple[int, int, int]] = []
        self.seconds: list[np.ndarray] = []

    def __call__(self, rows: Any) -> Any:
        started = clocks()
        batch = self._collator(rows)
        self.seconds.append(clocks() - started)
        mask = batch["attention_mask"]
        self.batches.append((int(mask.sum()), mask.numel(), len(mask)))
        return batch


def clocks() -> np.ndarray:
    """(wall, CPU) seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def measured(side: str, options: argparse.Namespace) -> Measured:
    """The side's figures, in this process."""
    traces = made_traces(options.count + options.batch, Path(options.pictures))
    made = ours if side == "ours" else trls
    with tempfile.TemporaryDirectory() as folder:
        made(traces[options.count :], options, folder).train()  # libraries are loaded and threads started
        trainer = made(traces[: options.count], options, folder)
        clock, counted = _Clock(), _Counted(trainer.data_collator)
        trainer.data_collator = counted
        trainer.add_callback(clock)
        trainer.train()
    tokens, computed, rows = np.sum(counted.batches, axis=0).tolist()
    seconds = (clock.readings[-1] - clock.readings[0]).tolist()
    return Measured(tokens, computed, seconds, np.sum(counted.seconds, axis=0).tolist(), rows)


def shared_options(options: argparse.Namespace, folder: str) -> dict[str, Any]:
    """What both trainers are told."""
    return {
        "output_dir": folder,
        "per_device_train_batch_size": options.batch,
        "num_train_epochs": 1,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "max_length": None,
    }


def ours(traces: Sequence[Trace], options: argparse.Namespace, folder: str) -> SFTTrainer:
    """Traces as they are."""
    args = PixelSFTConfig(**shared_options(options, folder), max_turns=LIMITS.max_turns, max_images=LIMITS.max_images)
    tasks = TaskSet("measured", [trace.task for trace in traces], budgets=BUDGETS)
    return PixelSFTTrainer(MODEL, traces, args, dialect=DIALECT, task_set=tasks)


def trls(traces: Sequence[Trace], options: argparse.Namespace, folder: str) -> SFTTrainer:
    """The same conversations as messages, their pictures cut and resized beforehand."""
    _, processor = load(model_folder(MODEL))
    chat = Chat(processor, DIALECT)
    settings = EpisodeSettings(DIALECT, LIMITS, BUDGETS)
    rows = [conversation(play(trace, chat, settings)) for trace in traces]
    part = {"type": Value("string"), "text": Value("string")}
    features = Features({"messages": List({"role": Value("string"), "content": List(part)}), "images": List(Image())})
    args = SFTConfig(**shared_options(options, folder))
    return SFTTrainer(
        model_folder(MODEL), args, train_dataset=Dataset.from_list(rows, features), processing_class=processor
    )


def conversation(played: PlayedTrace) -> dict[str, Any]:
    """A row as TRL takes it."""
    trajectory = played.rollout.trajectory
    messages = [_message("user", trajectory.prompt.question, len(trajectory.prompt_views))]
    for turn in trajectory.turns:
        messages.append(_message("assistant", turn.text, 0))
        if turn is not trajectory.turns[-1]:
            messages.append(_message("user", turn.observation, len(turn.views)))
    return {"messages": messages, "images": [_png(image) for image in played.images]}


def _message(role: str, text: str, pictures: int) -> dict[str, Any]:
    marks = [{"type": "image", "text": None}] * pictures
    return {"role": role, "content": [*marks, {"type": "text", "text": text}]}


def _png(image: np.ndarray) -> dict[str, Any]:
    return {"bytes": encoded(image, "png", compress_level=1), "path": None}


# --------------------------------------------------------------------------------------------------------- results


def table(sides: dict[str, Measured]) -> str:
    """Every figure side by side, and how many times TRL's goes into ours."""
    mine, theirs = (sides[side] for side in SIDES)
    lines = [f"{'':32} {'ours':>10} {'TRL':>10} {'ratio':>6}"]
    for place, clock in enumerate(("wall", "CPU")):
        fast, slow = (one.tokens / one.seconds[place] for one in (mine, theirs))
        lines.append(f"{f'tokens a second ({clock})':32} {fast:10,.0f} {slow:10,.0f} {fast / slow:6.2f}")
    for place, clock in enumerate(("wall", "CPU")):
        fast, slow = (one.collating_s[place] for one in (mine, theirs))
        lines.append(f"{f'of it collating ({clock}, s)':32} {fast:10.2f} {slow:10.2f} {slow / fast:6.2f}")
    padding = [1 - one.tokens / one.computed for one in (mine, theirs)]
    lines.append(f"{'padding, share of all computed':32} {padding[0]:10.1%} {padding[1]:10.1%}")
    lines.append(f"{'rows':32} {mine.rows:10,} {theirs.rows:10,}")
    lines.append(f"{'tokens':32} {mine.tokens:10,} {theirs.tokens:10,}")
    return "\n".join(lines)


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=192, help="traces")
    parser.add_argument("--batch", type=int, default=8, help="rows of a batch")
    parser.add_argument("--pictures", help="a folder for the files (default: a temporary one)")
    parser.add_argument("--side", choices=SIDES, help="measure one side in this process, print its figures as JSON")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Measured]:
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parsed(arguments)
    if options.side:
        figures = measured(options.side, options)
        print(json.dumps(asdict(figures)))
        return {options.side: figures}
    sides = {}
    with tempfile.TemporaryDirectory() as folder:
        given = arguments if options.pictures else [*arguments, "--pictures", folder]
        made_traces(options.count + options.batch, Path(options.pictures or folder))
        for side in SIDES:
            sides[side] = Measured(**printed_by(__file__, [*given, "--side", side]))
    print(table(sides))
    return sides


if __name__ == "__main__":
    main()

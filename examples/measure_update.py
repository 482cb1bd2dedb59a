"""A training step beside TRL's own `GRPOTrainer(environment_factory=...)`, on the same episodes of the same model.

    OMP_NUM_THREADS=1 python examples/measure_update.py                       # 64 episodes of 1 to 6 turns
    OMP_NUM_THREADS=1 python examples/measure_update.py --informative 0.25    # few questions have anything to teach

Each side runs in a process of its own, one after the other; its first step is not counted. `generation` is all of TRL's
`_generate_and_score_completions` (pictures, episodes, rewards, the padded batch), `update` the rest of the training
steps (forwards and backwards), `log-probs` a pass over all rows without gradients, so many rows at a time. `memory` is
the process's peak above what it holds before the first step. Seconds are the wall's; `CPU` those of the process's work,
which another program on the machine disturbs less. The rows learned from are compared id by id. The mean
log-probability differs by what TRL gives to tokens that can never be sampled.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from own_process import printed_by
from peak_memory import PeakMemory
from same_episodes import MODEL, TINY, clocks, drawn, our_side, trl_side

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load

SIDES = {"ours": our_side, "TRL": trl_side}
ROWS_TOGETHER = (1, 8, 32)
"""Rows of a forward pass, in the measurement of log-probabilities."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One side. Times are (wall, CPU) seconds of the step of the least work; `log_probs_s` as in ROWS_TOGETHER."""

    generation_s: Sequence[float]
    update_s: Sequence[float]
    log_probs_s: Sequence[Sequence[float]]
    memory_mib: float
    tokens: int
    ids_digest: str
    loss: float
    mean_log_prob: float


def measured(side: str, options: argparse.Namespace) -> Measured:
    """The side's figures, in this process."""
    _, processor = load(model_folder(MODEL))
    work = drawn(options, Chat(processor, TINY))
    with tempfile.TemporaryDirectory() as folder:
        trainer = SIDES[side](work, folder)
        with PeakMemory() as memory:
            trainer.train()
    updates = np.array(trainer.seconds["update"]).reshape(1 + work.steps, -1, 2).sum(axis=1)
    trainer.model.train()
    logps = trainer.log_probs(ROWS_TOGETHER[-1])
    said = trainer.batch["completion_mask"] * trainer.batch["tool_mask"]
    return Measured(
        generation_s=least_work(trainer.seconds["generation"][1:]),
        update_s=least_work(updates[1:]),
        log_probs_s=[scoring_time(trainer, rows) for rows in ROWS_TOGETHER],
        memory_mib=memory.bytes_above / 2**20,
        tokens=int(said.sum()),
        ids_digest=digest(trainer.batch),
        loss=float(next(row["loss"] for row in trainer.state.log_history if "loss" in row)),
        mean_log_prob=float((logps * said).sum() / said.sum()),
    )


def scoring_time(trainer: Any, rows_together: int) -> list[float]:
    """(wall, CPU) seconds of the log-probabilities of the last batch."""
    started = clocks()
    trainer.log_probs(rows_together)
    return (clocks() - started).tolist()


def digest(batch: dict[str, torch.Tensor]) -> str:
    """The same for batches of the same rows, pictures' placeholders and masks included, in any order."""
    names = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "tool_mask")
    rows = sorted(zip(*(batch[name].tolist() for name in names), strict=True))
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def least_work(seconds: Sequence[np.ndarray]) -> list[float]:
    """The (wall, CPU) seconds of the entry with the fewest CPU seconds."""
    return min((both.tolist() for both in seconds), key=lambda both: both[1])


def table(ours: Measured, trl: Measured) -> str:
    """Every figure side by side, and how many times ours goes into TRL's."""
    rows = [("generation", ours.generation_s, trl.generation_s), ("update", ours.update_s, trl.update_s)]
    rows += [
        (f"log-probs, {count} at a time", mine, theirs)
        for count, mine, theirs in zip(ROWS_TOGETHER, ours.log_probs_s, trl.log_probs_s, strict=True)
    ]
    lines = [f"{'':24} {'ours':>10} {'TRL':>10} {'ratio':>6}   {'ours CPU':>10} {'TRL CPU':>10} {'ratio':>6}"]
    for name, (wall_s, cpu_s), (trl_wall_s, trl_cpu_s) in rows:
        wall = f"{wall_s:8.2f} s {trl_wall_s:8.2f} s {trl_wall_s / wall_s:6.2f}"
        lines.append(f"{name:24} {wall}   {cpu_s:8.2f} s {trl_cpu_s:8.2f} s {trl_cpu_s / cpu_s:6.2f}")
    mebibytes = f"{ours.memory_mib:6.0f} MiB {trl.memory_mib:6.0f} MiB {trl.memory_mib / ours.memory_mib:6.2f}"
    lines.append(f"{'memory':24} {mebibytes}")
    lines.append(f"{'sampled tokens':24} {ours.tokens:10} {trl.tokens:10}")
    lines.append(f"{'loss':24} {ours.loss:10.4f} {trl.loss:10.4f}")
    lines.append(f"{'mean log-probability':24} {ours.mean_log_prob:10.4f} {trl.mean_log_prob:10.4f}")
    lines.append(f"the rows learned from are {'the same' if ours.ids_digest == trl.ids_digest else 'DIFFERENT'}")
    alone_s, *together_s = (cpu_s for _, cpu_s in ours.log_probs_s)
    for count, cpu_s in zip(ROWS_TOGETHER[1:], together_s, strict=True):
        lines.append(
            f"our log-probs of {count} rows at a time are {alone_s / cpu_s:.2f} times as fast as of 1 (CPU time)"
        )
    return "\n".join(lines)


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=64, help="episodes of a step")
    parser.add_argument("--group", type=int, default=8, help="rollouts of each question")
    parser.add_argument("--micro_batch", type=int, default=8, help="rows of a forward and backward pass")
    parser.add_argument("--steps", type=int, default=2, help="measured steps, after one that is not")
    parser.add_argument("--max_turns", type=int, default=6, help="an episode has 1 to so many turns")
    parser.add_argument("--turn_tokens", type=int, nargs=2, default=(16, 64), help="shortest and longest turn")
    parser.add_argument(
        "--informative", type=float, default=1.0, help="share of questions with right and wrong answers"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the script")
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
    for side in SIDES:
        sides[side] = Measured(**printed_by(__file__, [*arguments, "--side", side]))
    print(table(*sides.values()))
    return sides


if __name__ == "__main__":
    main()

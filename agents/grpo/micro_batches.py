"""The order of rows within an optimizer step: the rollouts of one question share a micro-batch, and so their images.

Depends on TRL's batch dictionary and on losses that are a sum over rows; independent of images and models.
"""

from collections.abc import Sequence
from typing import Any

import torch
from trl import GRPOConfig

from agents.grpo.scored_rows import rows_of


def by_question(batches: Sequence[dict[str, Any]], questions: Sequence[str], window: int) -> list[dict[str, Any]]:
    """The micro-batches of a generation, each `window` of them (one optimizer step) with their rows rearranged.

    `questions[i]`: the question of the row whose `rollout_index` is i. Every step keeps its rows and every micro-batch
    its size, so a loss that weighs all rows of a step alike is unchanged. Within a question short rows come first.
    """
    arranged: list[dict[str, Any]] = []
    for start in range(0, len(batches), window):
        step = list(batches[start : start + window])
        sizes = [len(batch["advantages"]) for batch in step]
        whole = _joined(step)
        asked = [questions[index] for index in whole["rollout_index"].tolist()]
        first = {question: row for row, question in reversed(list(enumerate(asked)))}
        lengths = whole["completion_mask"].sum(-1).tolist()
        order = sorted(range(len(asked)), key=lambda row: (first[asked[row]], lengths[row]))
        arranged += [rows_of(whole, rows) for rows in torch.tensor(order).split(sizes)]
    return arranged


def may_rearrange(args: GRPOConfig, processes: int) -> bool:
    """Whether every row of an optimizer step has the same weight in the loss, whatever micro-batch it is in.

    Of `bnpo` and of a quantile of entropies it has not. A step must not span two generations. Several processes keep
    TRL's order: each fills its micro-batch up to as many informative rows as another process has.
    """
    steps, window = args.steps_per_generation, args.gradient_accumulation_steps
    alike = args.loss_type != "bnpo" and args.top_entropy_quantile == 1.0
    return alike and processes == 1 and (steps % window == 0 or window % steps == 0)


def _joined(batches: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Batches of the same columns and widths as one; scalars are those of the first."""

    def joined(values: list[Any]) -> Any:
        if isinstance(values[0], torch.Tensor) and values[0].ndim:
            return torch.cat(values)
        return [entry for value in values for entry in value] if isinstance(values[0], list) else values[0]

    return {name: joined([batch[name] for batch in batches]) for name in batches[0]}

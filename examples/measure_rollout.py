"""How much faster episodes are played together than one by one.

    python examples/measure_rollout.py                       # the embedded tiny-warm, 64 episodes
    python examples/measure_rollout.py --group 1             # 64 different questions instead of 8 rollouts of 8
    python examples/measure_rollout.py --model path/to/checkpoint --dialect qwen3-vl --tasks sample:vstar

Both ways play the same episodes with the same seeds; the script also says whether they sampled the same tokens.
"""

import argparse
import time
from collections.abc import Sequence

import torch

from agents.engines.load import load_model
from agents.engines.transformers import TransformersEngine
from agents.metrics.trajectories import calls
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny-warm", help="an embedded checkpoint's name, or a folder")
    parser.add_argument("--dialect", default="tiny")
    parser.add_argument("--tasks", default="sample:vstar-tiny")
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--group", type=int, default=8, help="rollouts of each question")
    parser.add_argument("--max-turns", type=int, default=2)
    parser.add_argument("--max-turn-tokens", type=int, default=16)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> float:
    options = parsed(argv)
    dialect = dialect_named(options.dialect)
    model, chat = load_model(options.model, dialect, dtype="float32")
    task_set = load_tasks(options.tasks, count=-(-options.episodes // options.group))
    tasks = [task for task in task_set.tasks for _ in range(options.group)][: options.episodes]
    settings = EpisodeSettings(dialect, Limits(max_turns=options.max_turns), budgets_for(None, task_set, dialect))

    def played(live: int) -> tuple[float, list[Rollout]]:
        """Seconds and results with at most `live` episodes at a time."""
        started = time.perf_counter()
        engine = TransformersEngine(model, chat, max_batch=live)
        sampling = Sampling(max_turn_tokens=options.max_turn_tokens)
        results = rollout(tasks, engine, chat, settings=settings, sampling=sampling, seed=0, max_live=live)
        return time.perf_counter() - started, results

    played(len(tasks))  # compose the pictures and warm up, once for both
    together_s, together = played(len(tasks))
    one_by_one_s, alone = played(1)
    same = sum(a.completion_ids == b.completion_ids for a, b in zip(together, alone, strict=True))
    tokens = sum(sum(result.sampled) for result in together)
    print(f"{len(tasks)} episodes, {calls([r.trajectory for r in together]):.2f} calls each, {tokens} sampled tokens")
    for name, seconds in (("together", together_s), ("one by one", one_by_one_s)):
        print(f"{name:10} {seconds:7.2f} s {len(tasks) / seconds:7.1f} episodes/s {tokens / seconds:7.0f} tokens/s")
    print(f"together is {one_by_one_s / together_s:.1f} times as fast ({torch.get_num_threads()} threads)")
    print(f"{same} of {len(tasks)} episodes have the same tokens both ways")
    return one_by_one_s / together_s


if __name__ == "__main__":
    main()

"""What it saves to keep keys and values over the turns of an episode, and where the CPU time of a rollout goes.

    OMP_NUM_THREADS=1 python examples/measure_kept_turns.py                  # 64 episodes of 1 to 6 turns
    OMP_NUM_THREADS=1 python examples/measure_kept_turns.py --max_turns 2 --turn_tokens 8 9

The embedded `tiny-warm` plays the episodes of `measure_update.py`: it generates every token, and a script replaces it,
so that episodes have crops and many turns. Both ways are played in turn, in one process; the figures are CPU seconds of
the round of the least work.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from same_episodes import MODEL, TINY, ScriptedWords, drawn

from agents.checkpoints.names import model_folder
from agents.engines.batch import Batch
from agents.engines.load import load_model
from agents.engines.transformers import MAX_KEPT_BYTES
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from pixel_env.budgets import budgets_for
from pixel_env.types import Limits

WAYS = {"kept over turns": MAX_KEPT_BYTES, "read anew every turn": 0}
"""Bytes that the engine may keep."""


class Clock:
    """CPU seconds of this process, in all calls of the functions that are watched."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Count the calls of `owner.name` as `part`."""
        original: Callable[..., Any] = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.process_time()
            result = original(*arguments, **options)
            self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - started
            return result

        setattr(owner, name, timed)

    def table(self) -> dict[str, float]:
        """Seconds of parts that do not overlap."""
        seconds = self.seconds
        inside = seconds["prompts"] + seconds["tokens"] + seconds["choice"]
        return {
            "the image tower": seconds["tower"],
            "the language model on prompts": seconds["prompts"] - seconds["tower"],
            "the language model on single tokens": seconds["tokens"],
            "choosing tokens": seconds["choice"],
            "batches, kept states, ends of turns": seconds["engine"] - inside,
            "episodes: crops, observations, token ids": seconds["all"] - seconds["engine"],
            "all": seconds["all"],
        }


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    options = parsed(argv)
    model, chat = load_model(model_folder(MODEL), TINY, dtype="float32")
    work = drawn(options, chat)
    tasks = [task for task in work.tasks.tasks for _ in range(options.group)]
    settings = EpisodeSettings(TINY, Limits(max_turns=options.max_turns), budgets_for(None, work.tasks, TINY))
    sampling = Sampling(max_turn_tokens=options.turn_tokens[1])
    clock = Clock()
    clock.watch(model.model.visual, "forward", "tower")
    for name, part in (("_read", "prompts"), ("step", "tokens"), ("sample", "choice")):
        clock.watch(Batch, name, part)
    clock.watch(ScriptedWords, "answers", "engine")

    def script(number: int) -> list[int]:
        """A request's number is its turn times the number of episodes, plus its episode's place."""
        return work.episodes[number % len(tasks)][number // len(tasks)]

    def played(max_kept_bytes: int) -> tuple[dict[str, float], list[Rollout]]:
        clock.seconds.clear()
        started = time.process_time()
        engine = ScriptedWords(model, chat, len(tasks), script, max_kept_bytes=max_kept_bytes)
        results = rollout(tasks, engine, chat, settings=settings, sampling=sampling, seed=0)
        clock.seconds["all"] = time.process_time() - started
        return clock.table(), results

    played(MAX_KEPT_BYTES)  # compose the images and warm up
    rounds = [{way: played(most) for way, most in WAYS.items()} for _ in range(options.rounds)]
    least = {way: min((one[way][0] for one in rounds), key=lambda seconds: seconds["all"]) for way in WAYS}
    kept, anew = (rounds[0][way][1] for way in WAYS)
    tokens = sum(sum(result.sampled) for result in kept)
    print(f"{len(tasks)} episodes, {sum(len(r.trajectory.turns) for r in kept)} turns, {tokens} sampled tokens; CPU s")
    print(f"{'':42}" + "".join(f"{way:>22}" for way in WAYS))
    for part in least[next(iter(WAYS))]:
        print(f"{part:42}" + "".join(f"{least[way][part]:22.2f}" for way in WAYS))
    print(f"{'tokens a second':42}" + "".join(f"{tokens / least[way]['all']:22.0f}" for way in WAYS))
    differences = [np.abs(np.subtract(one.logprobs, two.logprobs)).max() for one, two in zip(kept, anew, strict=True)]
    print(f"log-probabilities differ by at most {max(differences):.1e}")
    return least


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--group", type=int, default=8, help="rollouts of each question")
    parser.add_argument("--max_turns", type=int, default=6, help="an episode has 1 to so many turns")
    parser.add_argument("--turn_tokens", type=int, nargs=2, default=(16, 64), help="shortest and longest turn")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the script")
    parser.set_defaults(informative=1.0, micro_batch=8, steps=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()

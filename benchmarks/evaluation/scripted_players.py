"""Players without a model, by the names that `pixel-env eval --engine scripted --model NAME` takes.

Knows policies and scripts. A player's turns are scripted like a policy's first ones, so the core loop plays them.
"""

from collections.abc import Sequence
from dataclasses import replace

from agents.rollout import EpisodeSettings
from benchmarks.evaluation.oracle import oracle_answer, oracle_turns
from benchmarks.evaluation.policies import Policy
from pixel_env.errors import UnknownNameError
from pixel_env.task import Task

PLAYERS = ("oracle",)


def check_player(name: str) -> None:
    """Raises UnknownNameError for a name that no player has."""
    if name not in PLAYERS:
        raise UnknownNameError.among("scripted player", name, PLAYERS, "A checkpoint is played by another --engine.")


def played_by_oracle(policy: Policy, settings: EpisodeSettings) -> Policy:
    """`policy` with the oracle in the model's place: it looks where the policy leaves that open, and answers right."""
    if policy.forced is None and not policy.banned_ids:
        return replace(policy, forced=lambda task: oracle_turns(task, settings))
    looks = policy.forced or _no_looks
    return replace(policy, forced=lambda task: [*looks(task), oracle_answer(task, settings)])


def _no_looks(task: Task) -> Sequence[str]:
    return ()

"""`pixel-env eval`: a checkpoint on a task set under zoom policies.

Every trajectory is written as a JSONL row as soon as it has ended, so an interrupted evaluation resumes: the missing
rollouts are played with the same seeds. Depends on the plan, policies, rollouts and files; independent of
training.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from agents.chat.format import ChatFormat
from agents.config.arguments import parse
from agents.engines.choice import engine_chosen
from agents.engines.protocol import Engine
from agents.metrics.trajectories import failed
from agents.rollout import Rollout, Sampling, rollout
from agents.run_folder.folder import RunFolder
from benchmarks.evaluation.averages import average_table
from benchmarks.evaluation.clustered import clustered_note
from benchmarks.evaluation.config import EvalConfig, known_names
from benchmarks.evaluation.evidence import evidence_table
from benchmarks.evaluation.judge.agreement import Judgement, agreement_table, write_verdicts
from benchmarks.evaluation.judge.settings import JudgeSettings
from benchmarks.evaluation.operation_ablation import control_report, with_controls
from benchmarks.evaluation.oracle import NEEDS_EVIDENCE
from benchmarks.evaluation.pass_at_k import pass_table
from benchmarks.evaluation.plan import EvalPlan, planned
from benchmarks.evaluation.policies import LEARNED_ZOOM, Policy, played_by_oracle, policy_named
from benchmarks.evaluation.published import benchmark_of, notes_on
from benchmarks.evaluation.records import (
    COUNT,
    ROWS,
    SAMPLED,
    SHARDS_OWN,
    Evaluation,
    Key,
    Record,
    append,
    check_count,
    evaluation_in,
    keys_of,
    seconds_per_answer,
    take_over,
    timed,
)
from benchmarks.evaluation.released_scorer import load_math_verify, released_score
from benchmarks.evaluation.result_files import write_metrics, write_samples
from benchmarks.evaluation.retries import play_with_retries
from benchmarks.evaluation.side_by_side import check_folders, folder_of, side_by_side
from benchmarks.evaluation.tables import (
    Verdicts,
    accuracy_of_questions,
    accuracy_table,
    failure_notice,
    parts_of,
    position_table,
    summary_table,
)
from benchmarks.evaluation.unread import unread_notice
from benchmarks.evaluation.variants import variant_tables
from benchmarks.protocols.table import protocols_named
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore
from pixel_env.task import Task

if TYPE_CHECKING:
    from benchmarks.evaluation.judge.judge import Judge


def main(argv: list[str]) -> int:
    """`pixel-env eval [--config file.yaml] [--flags]`. Returns the exit code: 1 if an episode failed."""
    config = parse(argv, EvalConfig, "eval", epilog=known_names())
    plans = _plans(config)
    code = max([_run(plan) for plan in plans])
    if len(plans) > 1:
        print(f"\n{side_by_side(plans, config.tasks)}")
    elif plans[0].protocol is not None:
        print("\n".join(notes_on(plans[0], benchmark_of(config.tasks, plans[0].task_set))))
    return code


def _plans(config: EvalConfig) -> list[EvalPlan]:
    """A plan for each protocol, in folders of their own if there are several. All are made before one is played."""
    protocols = [] if config.protocol is None else protocols_named(config.protocol)
    names = list(dict.fromkeys(protocol.name for protocol in protocols))  # "mine.yaml,./mine.yaml" is one
    if len(names) < 2:
        return [planned(replace(config, protocol=next(iter(names), None)))]
    check_folders(config.output_dir, names)
    return [planned(replace(config, protocol=name, output_dir=folder_of(config.output_dir, name))) for name in names]


def _run(plan: EvalPlan) -> int:
    """Plays, or resumes, one evaluation and prints its report. Returns the exit code: 1 if an episode failed."""
    verify = load_math_verify() if plan.scores_as_released else None  # a missing package is an error before any work
    with RunFolder.claimed(plan.folder, plan.recorded, resumes=True, whole=plan.whole, may_change=[COUNT]) as folder:
        judge = None if plan.judge is None else checked_judge(plan.judge, plan.folder)
        evaluation = measured(plan, folder)
        released = {r.key: released_score(r.trajectory, verify) for r in evaluation.records} if verify else None
        judgement = None if judge is None else judge.judgement_on(evaluation.records)
        _report(plan, evaluation, released, judgement)
    return 1 if failed(evaluation.trajectories) else 0


def checked_judge(settings: JudgeSettings, folder: Path) -> "Judge":
    """The judge of the run in `folder`, which has judged an example. Raises ConfigError, MissingExtraError."""
    from benchmarks.evaluation.judge.judge import Judge  # needs the packages of an endpoint

    judge = Judge(settings, folder)
    judge.check()
    return judge


def measured(plan: EvalPlan, folder: RunFolder) -> Evaluation:
    """The evaluation of the plan, kept in its claimed folder; finished rollouts are not played again."""
    check_count(folder.path, plan.task_set, folder.configuration[COUNT])
    shards = folder.shards(ROWS, own=SHARDS_OWN)
    engine, chat = engine_of(plan)
    folder.keep_configuration()  # not before: a name that cannot be loaded would bind the folder to it
    return evaluate(plan, engine, chat, shards)


def _report(plan: EvalPlan, evaluation: Evaluation, released: Verdicts | None, judgement: Judgement | None) -> None:
    shard = "" if plan.shard is None else f", shard {plan.shard}"
    print(f"{plan.model} on {evaluation.task_set.name} ({len(evaluation.task_set)} questions{shard})")
    if evaluation.task_set.notice:
        print(evaluation.task_set.notice)
    print("\n\n".join(_tables(plan, evaluation, released, judgement)))
    if notice := unread_notice(evaluation.records, evaluation.budgets, plan.settings.dialect.name):
        print(f"\n{notice}")
    if plan.writes_lmms_samples:
        print(f"Samples: {', '.join(map(str, write_samples(plan.folder, evaluation)))}")
    if repeated := [record for record in evaluation.records if record.repeated]:
        print(f"{len(repeated)} rollouts were repeated because they ended without an answer; the last attempt counts.")
    if judgement is not None:
        print(f"Verdicts: {write_verdicts(plan.folder, evaluation.records, judgement)}")
    print(f"Figures: {write_metrics(plan.folder, evaluation, released, judgement)}")
    print(f"Trajectories: {plan.folder / ROWS}")


def _tables(
    plan: EvalPlan, evaluation: Evaluation, released: Verdicts | None, judgement: Judgement | None
) -> list[str]:
    """The tables of the report; those that say nothing about this set or run are left out."""
    judge = None if judgement is None else judgement.grades(evaluation.records)
    summary = summary_table(evaluation, seconds_per_answer(plan.folder), released, judge)
    note = clustered_note(accuracy_of_questions(evaluation.trajectories))
    sampled = [record.trajectory for record in evaluation.records if record.sample is not None]
    tables = [accuracy_table(evaluation), "\n".join([summary, *note]), average_table(evaluation), pass_table(sampled)]
    tables += [] if judgement is None else [agreement_table(parts_of(evaluation), judgement)]
    tables += [*variant_tables(evaluation), evidence_table(evaluation), position_table(evaluation)]
    tables += [control_report(evaluation, seed=plan.seed)] if plan.ablates else []
    return [one for one in tables if one is not None]


def engine_of(plan: EvalPlan) -> tuple[Engine, ChatFormat]:
    """The loaded engine and its chat format. Raises ConfigError for a model that cannot be loaded."""
    return engine_chosen(plan.engine, plan.settings.dialect)


def evaluate(plan: EvalPlan, engine: Engine, chat: ChatFormat, shards: Sequence[Path] = ()) -> Evaluation:
    """Plays the rollouts that neither the plan's folder nor the shards' files hold; returns the whole evaluation."""
    store = TrajectoryStore(plan.folder / ROWS)
    done = keys_of(store.path, plan.task_set)
    take_over(shards, store, done, plan.task_set)
    passes = [(policy, samples, _playable(policy, plan)) for policy, samples in _passes(plan, chat)]
    if not any(tasks for _, _, tasks in passes):
        raise ConfigError(
            f"There is nothing to play: none of the {len(plan.task_set)} questions has evidence. {NEEDS_EVIDENCE}"
        )
    total = sum(len(tasks) * (samples or 1) for _, samples, tasks in passes)
    with tqdm(total=total, initial=len(done), desc="evaluation", unit="rollout", mininterval=0.5) as bar:
        for policy, samples, tasks in passes:
            missing = by_image(missing_rollouts(tasks, policy.name, samples, done))
            keep = _keeper(policy, missing, store, done, bar)
            sampling = replace(plan.greedy if samples is None else plan.sampled, banned_ids=policy.banned_ids)
            retries = None if plan.protocol is None else plan.protocol.retries
            with timed(plan.folder, policy.name if samples is None else SAMPLED, len(missing)):
                play = partial(_play, plan, policy, engine, chat)
                play_with_retries(play, [task for task, _ in missing], sampling, plan.seed, retries, keep)
    evaluation = evaluation_in(plan.folder, plan.task_set, plan.settings.budgets, plan.policies)
    _warn_of_failures(evaluation)
    return evaluation


def _play(
    plan: EvalPlan,
    policy: Policy,
    engine: Engine,
    chat: ChatFormat,
    tasks: Sequence[Task],
    sampling: Sampling,
    seed: int,
    on_finish: Callable[[Rollout], None],
) -> None:
    """An episode of each task under the policy."""
    rollout(
        tasks,
        engine,
        chat,
        settings=replace(plan.settings, intervention=policy.intervention),
        sampling=sampling,
        seed=seed,
        forced=policy.forced,
        on_finish=on_finish,
    )


def _passes(plan: EvalPlan, chat: ChatFormat) -> list[tuple[Policy, int | None]]:
    """The policies to play, each with its number of samples; None: greedily."""
    names, spec = plan.policies, plan.engine.spec
    if plan.ablates:
        names = with_controls(names, chat, can_ban=spec.can_ban_tokens)
    passes: list[tuple[Policy, int | None]] = [
        (policy_named(name, plan.settings, chat, seed=plan.seed), None) for name in names
    ]
    if plan.samples:
        passes.append((Policy(LEARNED_ZOOM), plan.samples))
    if not spec.has_model:
        return [(played_by_oracle(policy, plan.settings), samples) for policy, samples in passes]
    return passes


def _playable(policy: Policy, plan: EvalPlan) -> Sequence[Task]:
    """The tasks that the policy is played on: with --ablate, those for which its scripted operations are known."""
    if not plan.ablates:
        return plan.task_set.tasks
    return [task for task in plan.task_set.tasks if policy.can_play(task, plan.settings.dialect)]


def missing_rollouts(
    tasks: Sequence[Task], policy: str, samples: int | None, done: set[Key]
) -> list[tuple[Task, int | None]]:
    """The rollouts of one policy to play: greedy (`samples` None) or so many sampled ones of each question.

    If one rollout of a question is missing, all of them are played: a rollout's seed depends on its index among them.
    """
    numbers = [None] if samples is None else list(range(samples))
    return [
        (task, number)
        for task in tasks
        if any((policy, task.task_id, other) not in done for other in numbers)
        for number in numbers
    ]


def by_image(rollouts: Sequence[tuple[Task, int | None]]) -> list[tuple[Task, int | None]]:
    """The rollouts, those about one image after each other: it is decoded once, and held while they are played.

    Images are compared as objects, which the readers make once for each file; a file's key would have to be read.
    """
    groups: dict[tuple[int, ...], list[tuple[Task, int | None]]] = {}
    for task, number in rollouts:
        groups.setdefault(tuple(map(id, task.sources)), []).append((task, number))
    return [rollout for group in groups.values() for rollout in group]


def _keeper(
    policy: Policy,
    missing: Sequence[tuple[Task, int | None]],
    store: TrajectoryStore,
    done: set[Key],
    bar: "tqdm[object]",
) -> Callable[[Rollout, int, int], None]:
    """A function that writes a finished rollout of `missing`, unless its row is there already."""

    def keep(played: Rollout, index: int, repeated: int) -> None:
        record = Record(played.trajectory, policy.name, missing[index][1], repeated)
        if record.key not in done:
            append(store, record)
            done.add(record.key)
            bar.update()

    return keep


def _warn_of_failures(evaluation: Evaluation) -> None:
    if notice := failure_notice(evaluation):
        print(f"{notice} Run the same command again to repeat the failed ones.", file=sys.stderr)

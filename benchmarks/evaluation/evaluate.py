"""`pixel-env eval`: a checkpoint on a task set under zoom policies.

Every trajectory is a JSONL row as soon as it has ended, so a killed evaluation goes on where it stood: what is missing
is played, with the seeds that it would have had. Knows policies, rollouts and files; knows nothing of training.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from tqdm import tqdm

from agents.chat.format import ChatFormat
from agents.config.arguments import parse
from agents.engines.choice import EngineChoice, check_videos, engine_chosen
from agents.engines.protocol import Engine
from agents.engines.registry import engine_named
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from agents.run_folder.configuration import keep_configuration, make_folder, refuse_another
from agents.run_folder.shards import shard_named
from benchmarks.evaluation.config import EvalConfig, known_names
from benchmarks.evaluation.lmms_samples import write_samples
from benchmarks.evaluation.metrics_file import write_metrics
from benchmarks.evaluation.operation_ablation import looking_report, with_ablations
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, Policy, policy_named
from benchmarks.evaluation.provenance import provenance_of
from benchmarks.evaluation.questions import shuffled
from benchmarks.evaluation.records import ROWS, SAMPLED, Evaluation, Key, Record, append, keys_of, read_evaluation
from benchmarks.evaluation.released_scorer import load_math_verify, released_score
from benchmarks.evaluation.scripted_players import check_player, played_by_oracle
from benchmarks.evaluation.shards import refuse_others, take_over
from benchmarks.evaluation.tables import Verdicts, accuracy_table, position_table, summary_table
from benchmarks.evaluation.timings import seconds_per_answer, timed
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import load_tasks


def main(argv: list[str]) -> int:
    """`pixel-env eval [--config file.yaml] [--flags]`. Returns the exit code."""
    config = parse(argv, EvalConfig, "eval", epilog=known_names())
    dialect = config.worded_dialect
    judge = load_math_verify() if config.scorer == "released" else None
    evaluation = measured(config, dialect)
    released = {r.key: released_score(r.trajectory, judge) for r in evaluation.records} if judge else None
    _report(config, evaluation, released)
    return 0


def measured(config: EvalConfig, dialect: Dialect) -> Evaluation:
    """The evaluation that `config` asks for, kept in its folder; what is there already is not played again."""
    choice_of(config)
    task_set = questions_of(config)
    check_videos(config.engine, dialect, task_set.tasks)
    budgets = config.settings(dialect, task_set).budgets
    provenance = provenance_of(config.model, config.engine, dialect, budgets, prompt_file=config.prompt_file)
    parts = [config, provenance]
    refuse_another(config.folder, parts)
    refuse_others(config.folder, parts)
    make_folder(config.folder)
    engine, chat = engine_of(config, dialect)
    keep_configuration(config.folder, parts, resumes=True)  # not before: what was mistyped claims no folder
    return evaluate(config, task_set, engine, chat)


def questions_of(config: EvalConfig) -> TaskSet:
    """The questions that this command plays, as it shows them."""
    task_set = load_tasks(config.tasks, split=config.split, count=config.task_count, strict=config.strict)
    if config.shuffle_options:
        task_set = shuffled(task_set, config.seed)
    if config.shard is None:
        return task_set
    tasks = shard_named(config.shard).of(task_set.tasks)
    if not tasks:
        raise ConfigError(f"--shard {config.shard} is empty, of {len(task_set)} questions; make fewer parts")
    return replace(task_set, tasks=tasks)


def _report(config: EvalConfig, evaluation: Evaluation, released: Verdicts | None) -> None:
    part = "" if config.shard is None else f", part {config.shard}"
    print(f"{config.model} on {evaluation.task_set.name} ({len(evaluation.task_set)} questions{part})")
    if evaluation.task_set.notice:
        print(evaluation.task_set.notice)
    tables = [accuracy_table(evaluation), summary_table(evaluation, seconds_per_answer(config.folder), released)]
    if by_position := position_table(evaluation):
        tables.append(by_position)
    if config.ablate:
        tables.append(looking_report(evaluation, seed=config.seed))
    print("\n\n".join(tables))
    if config.lmms_samples:
        print(f"Samples: {', '.join(map(str, write_samples(config.folder, evaluation)))}")
    print(f"Figures: {write_metrics(config.folder, evaluation, released)}")
    print(f"Trajectories: {config.folder / ROWS}")


def engine_of(config: EvalConfig, dialect: Dialect) -> tuple[Engine, ChatFormat]:
    """What generates, and the chat format that it reads. Raises ConfigError for what does not go together."""
    return engine_chosen(choice_of(config), dialect)


def choice_of(config: EvalConfig) -> EngineChoice:
    """The engine for the model. Raises ConfigError for an engine that cannot play what `config` wants played."""
    choice = config.chosen(config.model, config.limits, dtype=config.dtype, max_batch=config.max_batch)
    if not choice.spec.has_model:
        check_player(config.model)
    if not choice.spec.can_ban_tokens and NO_ZOOM in config.policies and not config.ablate:
        others = " ".join(name for name in config.policies if name != NO_ZOOM) or LEARNED_ZOOM
        raise ConfigError(
            f"--engine {config.engine} bans no tokens, so it cannot keep a model from calling, which {NO_ZOOM} does. "
            f"Give --policies {others}"
        )
    return choice


def evaluate(config: EvalConfig, task_set: TaskSet, engine: Engine, chat: ChatFormat) -> Evaluation:
    """Plays what the run's folder does not hold yet; returns all of it."""
    settings = config.settings(config.worded_dialect, task_set)
    folder = config.folder
    store = TrajectoryStore(folder / ROWS)
    done = keys_of(store.path, task_set)
    take_over(folder, store, done, task_set)
    passes = [
        (policy, samples, _playable(task_set, policy, config, settings))
        for policy, samples in _passes(config, settings, chat)
    ]
    if not any(tasks for _, _, tasks in passes):
        raise ConfigError(
            f"There is nothing to play: none of the {len(task_set)} questions has evidence that says where to look, "
            "which a scripted look needs. Add 'evidence' to the rows, or give another --engine."
        )
    total = sum(len(tasks) * (samples or 1) for _, samples, tasks in passes)
    with tqdm(total=total, initial=len(done), desc="evaluation", unit="rollout", mininterval=0.5) as bar:
        for policy, samples, tasks in passes:
            missing = missing_rollouts(tasks, policy.name, samples, done)
            keep = _keeper(policy, missing, store, done, bar)
            sampling = Sampling(
                0.0 if samples is None else config.temperature, config.max_turn_tokens, policy.banned_ids
            )
            with timed(folder, policy.name if samples is None else SAMPLED, len(missing)):
                rollout(
                    [task for task, _ in missing],
                    engine,
                    chat,
                    settings=replace(settings, intervention=policy.intervention),
                    sampling=sampling,
                    seed=config.seed,
                    forced=policy.forced,
                    on_finish=keep,
                )
    evaluation = read_evaluation(folder, task_set)
    _warn_of_failures(evaluation)
    return evaluation


def _passes(config: EvalConfig, settings: EpisodeSettings, chat: ChatFormat) -> list[tuple[Policy, int | None]]:
    """The policies to play, each with its number of samples; None: greedily."""
    names, spec = config.policies, engine_named(config.engine)
    if config.ablate:
        names = with_ablations(names, chat, can_ban=spec.can_ban_tokens)
    passes: list[tuple[Policy, int | None]] = [
        (policy_named(name, settings, chat, seed=config.seed), None) for name in names
    ]
    if config.samples:
        passes.append((Policy(LEARNED_ZOOM), config.samples))
    if not spec.has_model:
        return [(played_by_oracle(policy, settings), samples) for policy, samples in passes]
    return passes


def _playable(task_set: TaskSet, policy: Policy, config: EvalConfig, settings: EpisodeSettings) -> Sequence[Task]:
    """The tasks that the policy is played on: where ablations are, those whose scripted looks are known."""
    if not config.ablate:
        return task_set.tasks
    return [task for task in task_set.tasks if policy.can_play(task, settings.dialect)]


def missing_rollouts(
    tasks: Sequence[Task], policy: str, samples: int | None, done: set[Key]
) -> list[tuple[Task, int | None]]:
    """The rollouts of one policy to play: greedy (`samples` None) or so many sampled ones of each question.

    All those of a question as soon as one is missing: a rollout's seed goes by its place among those of its question.
    """
    numbers = [None] if samples is None else list(range(samples))
    return [
        (task, number)
        for task in tasks
        if any((policy, task.task_id, other) not in done for other in numbers)
        for number in numbers
    ]


def _keeper(
    policy: Policy,
    missing: Sequence[tuple[Task, int | None]],
    store: TrajectoryStore,
    done: set[Key],
    bar: "tqdm[object]",
) -> Callable[[Rollout], None]:
    """What writes a rollout as it ends, unless it was only played again for its neighbours' seeds."""

    def keep(played: Rollout) -> None:
        record = Record(played.trajectory, policy.name, missing[played.index][1])
        if record.key not in done:
            append(store, record)
            done.add(record.key)
            bar.update()

    return keep


def _warn_of_failures(evaluation: Evaluation) -> None:
    failed = [r.trajectory for r in evaluation.records if r.trajectory.stop is Stop.FAILED]
    if failed:
        print(
            f"{len(failed)} episodes broke and count as wrong; the same command plays them again. "
            f"The first: {failed[0].error}",
            file=sys.stderr,
        )

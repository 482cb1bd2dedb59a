"""`pixel-env eval`: a checkpoint on a task set under zoom policies.

Every trajectory is a JSONL row as soon as it has ended, so a killed evaluation goes on where it stood: what is missing
is played, with the seeds that it would have had. Knows policies, rollouts and files; knows nothing of training.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from agents.arguments import parse
from agents.chat_format import ChatFormat
from agents.engines.choice import EngineChoice, engine_chosen
from agents.engines.protocol import Engine
from agents.engines.scripted import PlainChat, ScriptedEngine, in_turn
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from agents.run_folder import keep_configuration
from agents.shards import shard_named
from benchmarks.evaluation_tables import SAMPLED, Verdicts, position_table, summary_table
from benchmarks.lmms_samples import write_samples
from benchmarks.looking import looking_report, with_ablations
from benchmarks.metrics_file import write_metrics
from benchmarks.policies import LEARNED_ZOOM, NAMES, NO_ZOOM, POLICIES, Policy, policy_named
from benchmarks.provenance import provenance_of
from benchmarks.questions import shuffled
from benchmarks.records import ROWS, Evaluation, Key, Record, append, keys_of, read_evaluation
from benchmarks.released_scorer import load_math_verify, released_score
from benchmarks.scripted_players import check_player, played_by_oracle
from benchmarks.shards import take_over
from benchmarks.tables import accuracy_table
from benchmarks.timings import seconds_per_answer, timed
from pixel_env.budgets import budgets_for
from pixel_env.dialects import Dialect, dialect_named
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.prompt_files import read_prompt_file, with_prompt
from pixel_env.store import TrajectoryStore
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits, Stop, Task, TaskSet


@dataclass(frozen=True)
class EvalConfig:
    """Measure a checkpoint on a task set under zoom policies."""

    model: str = field(
        default="tiny-zoom", metadata={"help": "a checkpoint: folder, hub id, or the name of an embedded one"}
    )
    tasks: str = field(
        default="sample:vstar-tiny", metadata={"help": "a sample set, a path or a hub id (docs/tasks.md)"}
    )
    split: Literal["train", "test"] = field(default="test", metadata={"help": "of an embedded set: train or test"})
    task_count: int | None = field(
        default=None, metadata={"help": "use so many of its tasks; None: all", "aliases": ("--limit",)}
    )
    strict: bool = field(default=False, metadata={"help": "stop at rows that cannot be used; else they are left out"})
    shard: str | None = field(
        default=None, metadata={"help": "play a part, 1/8 to 8/8; the command without it takes the parts over"}
    )
    shuffle_options: bool = field(
        default=True, metadata={"help": "show each question's options in an order drawn by the seed"}
    )
    output_dir: str = field(default="runs/eval", metadata={"help": "folder of the trajectories; goes on if it is cut"})
    policies: tuple[str, ...] = field(
        default=POLICIES, metadata={"help": "greedy policies; none to measure sampled rollouts only"}
    )
    ablate: bool = field(
        default=False, metadata={"help": "does looking help? play the model's ablations beside it, too"}
    )
    samples: int = field(default=0, metadata={"help": "sampled rollouts of each question, for avg@k, pass@k and RaPR"})
    temperature: float = field(default=1.0, metadata={"help": "of the sampled rollouts"})
    dialect: str = field(default="tiny", metadata={"help": "wire format of calls and answers: a dialect's name"})
    prompt_file: str | None = field(
        default=None, metadata={"help": "a text that follows the question, or holds {question}, for the dialect's own"}
    )
    max_turns: int = field(default=4, metadata={"help": "turns of an episode, the answering one included"})
    max_images: int = field(default=16, metadata={"help": "pictures of an episode, the task's own included"})
    max_tokens: int | None = field(
        default=None, metadata={"help": "tokens of a whole conversation, pictures included; None: no limit"}
    )
    max_turn_tokens: int = field(default=512, metadata={"help": "sampled tokens of one turn"})
    engine: Literal["transformers", "vllm", "endpoint", "scripted"] = field(
        default="transformers",
        metadata={"help": "what generates: this process, vLLM in it, an endpoint; scripted: no model, --model oracle"},
    )
    base_url: str | None = field(
        default=None, metadata={"help": "of an OpenAI-compatible endpoint, with its /v1; the key: OPENAI_API_KEY"}
    )
    max_batch: int = field(default=96, metadata={"help": "turns that are generated at a time"})
    dtype: str = field(default="float32", metadata={"help": "precision of the weights: float32, bfloat16 or auto"})
    seed: int = field(default=0, metadata={"help": "of the random places, of the options' orders and of sampling"})
    scorer: Literal["own", "released"] = field(
        default="own", metadata={"help": "released: the released code's judge beside our graders"}
    )
    lmms_samples: bool = field(default=False, metadata={"help": "write the samples as lmms-eval logs them, too"})

    @property
    def folder(self) -> Path:
        """Where the trajectories are: a shard's lie in a folder below `output_dir`."""
        whole = Path(self.output_dir)
        return whole if self.shard is None else shard_named(self.shard).folder_in(whole)

    @property
    def worded_dialect(self) -> Dialect:
        """The dialect, with the words of `prompt_file` if one is given."""
        dialect = dialect_named(self.dialect)
        return dialect if self.prompt_file is None else with_prompt(dialect, read_prompt_file(self.prompt_file))

    def settings(self, dialect: Dialect, task_set: TaskSet) -> EpisodeSettings:
        """How the episodes are played."""
        limits = Limits(self.max_turns, self.max_images, self.max_tokens)
        return EpisodeSettings(dialect, limits, budgets_for(None, task_set, dialect))


def main(argv: list[str]) -> int:
    """`pixel-env eval [--config file.yaml] [--flags]`. Returns the exit code."""
    config = parse(argv, EvalConfig, "eval")
    dialect = config.worded_dialect
    for name in config.policies:
        _check_policy(name)
    judge = load_math_verify() if config.scorer == "released" else None
    evaluation = measured(config, dialect)
    released = {r.key: released_score(r.trajectory, judge) for r in evaluation.records} if judge else None
    _report(config, evaluation, released)
    return 0


def measured(config: EvalConfig, dialect: Dialect) -> Evaluation:
    """The evaluation that `config` asks for, kept in its folder; what is there already is not played again."""
    task_set = questions_of(config)
    budgets = config.settings(dialect, task_set).budgets
    provenance = provenance_of(config.model, config.engine, dialect, budgets, prompt_file=config.prompt_file)
    keep_configuration(config.folder, [config, provenance], resumes=True)
    engine, chat = engine_of(config, dialect)
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
    if config.engine == "scripted":
        check_player(config.model)
        plain = PlainChat(dialect)
        return ScriptedEngine(in_turn(""), plain), plain  # never asked: a player's turns are its policy's
    if config.engine == "endpoint" and NO_ZOOM in config.policies and not config.ablate:
        others = " ".join(name for name in config.policies if name != NO_ZOOM) or LEARNED_ZOOM
        raise ConfigError(
            f"An endpoint cannot keep a model from calling, which {NO_ZOOM} does. Give --policies {others}"
        )
    choice = EngineChoice(
        engine=config.engine,
        model=config.model,
        base_url=config.base_url,
        dtype=config.dtype,
        max_batch=config.max_batch,
        max_tokens=config.max_tokens,
        max_images=config.max_images,
    )
    return engine_chosen(choice, dialect)


def evaluate(config: EvalConfig, task_set: TaskSet, engine: Engine, chat: ChatFormat) -> Evaluation:
    """Plays what the run's folder does not hold yet; returns all of it."""
    settings = config.settings(config.worded_dialect, task_set)
    folder = config.folder
    store = TrajectoryStore(folder / ROWS)
    done = keys_of(store.path)
    take_over(folder, store, done)
    passes = _passes(config, settings, chat)
    total = len(task_set) * sum(samples or 1 for _, samples in passes)
    with tqdm(total=total, initial=len(done), desc="evaluation", unit="rollout", mininterval=0.5) as bar:
        for policy, samples in passes:
            tasks = task_set.tasks
            if config.ablate:
                tasks = [task for task in tasks if policy.can_play(task, settings.dialect)]
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
    names = config.policies
    if config.ablate:
        names = with_ablations(names, chat, can_ban=config.engine != "endpoint")
    passes: list[tuple[Policy, int | None]] = [
        (policy_named(name, settings, chat, seed=config.seed), None) for name in names
    ]
    if config.samples:
        passes.append((Policy(LEARNED_ZOOM), config.samples))
    if config.engine == "scripted":
        return [(played_by_oracle(policy, settings), samples) for policy, samples in passes]
    return passes


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


def _check_policy(name: str) -> None:
    if name not in NAMES:
        raise UnknownNameError.among("policy", name, NAMES)


def _warn_of_failures(evaluation: Evaluation) -> None:
    failed = [r.trajectory for r in evaluation.records if r.trajectory.stop is Stop.FAILED]
    if failed:
        print(
            f"{len(failed)} episodes broke and count as wrong; the same command plays them again. "
            f"The first: {failed[0].error}",
            file=sys.stderr,
        )

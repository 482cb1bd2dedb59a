"""The plan of an evaluation: its flags, prompt file and task set, resolved before it starts.

Depends on the flags, task sets and dialects; independent of models. All that follows uses the plan:
no flag, prompt file or task set is read again, so editing a file during the run changes nothing.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.checkpoints.context import context_of, within_context
from agents.config.model_dialect import ModelDialect, dialect_of_engine
from agents.engines.choice import EngineChoice, check_videos
from agents.engines.protocol import NO_TRUNCATION
from agents.engines.registry import engine_named
from agents.rollout import EpisodeSettings, Sampling
from agents.run_folder.shards import shard_named
from benchmarks.evaluation.as_published import PlayedProtocol, played_dialect, played_name, with_protocol
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.judge.settings import JudgeSettings
from benchmarks.evaluation.oracle import NEEDS_EVIDENCE
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, SCRIPTED_ZOOM, check_player
from benchmarks.evaluation.provenance import provenance_of
from benchmarks.evaluation.questions import shuffled
from benchmarks.protocols.files import protocol_to_row
from benchmarks.protocols.protocol import Protocol
from benchmarks.protocols.table import as_known, protocol_named, question_text
from benchmarks.protocols.texts import read_text, with_question, with_system
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.tasks.regraded import check_gradable


@dataclass(frozen=True)
class EvalPlan:
    """Everything that defines an evaluation: model, questions, policies, sampling, and the output folder.

    Args:
        model: The checkpoint, or the name of the scripted player.
        engine: The engine, its model and its sizes.
        task_set: The questions as they are shown; for a shard, its part.
        settings: The dialect with the words of the prompt file, the limits and the pixel budgets of every episode.
        policies: Names of the greedy policies.
        ablates: Whether blank, random and withheld crops and the oracle are played in addition.
        samples: Sampled rollouts of each question.
        greedy: How the turns of the policies are sampled; `sampled`: those of the sampled rollouts.
        seed: Of random windows, of sampling and of resampling.
        recorded: Dataclasses whose fields are the run's configuration; a run resumes only with equal ones.
        folder: The folder of the trajectories; `whole`: for a shard, the folder of the whole evaluation.
        shard: Its name, such as 1/8; None for the whole evaluation.
        scores_as_released: Whether the released code's judge is reported as well.
        writes_lmms_samples: Whether the samples are also written as lmms-eval logs them.
        protocol: The protocol that is played, if any.
        judge: The model that judges open answers beside the rule, if any.
        texts: The texts of the user's files by kind ("system", "question"); the other texts are ours.
    """

    model: str
    engine: EngineChoice
    task_set: TaskSet
    settings: EpisodeSettings
    policies: tuple[str, ...]
    ablates: bool
    samples: int
    greedy: Sampling
    sampled: Sampling
    seed: int
    recorded: tuple[Any, ...]
    folder: Path
    whole: Path | None
    shard: str | None
    scores_as_released: bool
    writes_lmms_samples: bool
    protocol: Protocol | None = None
    judge: JudgeSettings | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


def planned(config: EvalConfig) -> EvalPlan:
    """The plan that `config` stands for. Reads the prompt file, the task set and the weights' files, each once.

    Raises ConfigError, UnknownNameError or TaskError for what cannot be played.
    """
    protocol = None if config.protocol is None else protocol_named(config.protocol)
    if protocol is not None:
        config = with_protocol(config, protocol)
    texts = _texts(config, protocol)
    known = dialect_of_engine(config.dialect, config.model, engine_named(config.engine))
    dialect = config.shown_dialect(_dialect(known, protocol, texts))
    takes_recorded = protocol is None or (protocol.dialect is None and not protocol.variant)
    prompt = texts.get("question", known.prompt if takes_recorded else None)
    if protocol is None:
        limits = known.limits(max_turns=config.max_turns, max_images=config.max_images, max_tokens=config.max_tokens)
        name = known.name
    else:
        limits, name = protocol.limits, played_name(protocol, known.name)
    config = replace(config, dialect=name, **dataclasses.asdict(limits))  # what is recorded
    engine = _engine(config, limits)
    if engine.spec.loads_checkpoint:
        limits = within_context(limits, context_of(config.model), repr(config.model))
    task_set = _questions(config)
    check_videos(config.engine, dialect, task_set.tasks)
    if not config.ablate:  # it leaves out the questions without evidence where evidence is needed
        _check_evidence(config, task_set.tasks, has_model=engine.spec.has_model)
    settings = EpisodeSettings(dialect, limits, budgets_for(None, task_set, dialect))
    provenance = provenance_of(
        config.model,
        config.engine,
        dialect,
        settings.budgets,
        prompt_sha256=None if prompt is None else prompt_hash(prompt),
        declares_tools=config.tool_calls == "native",
        system_sha256=prompt_hash(texts["system"]) if "system" in texts else None,
    )
    recorded = () if protocol is None else (PlayedProtocol(protocol_to_row(protocol)),)
    truncation = NO_TRUNCATION if protocol is None else protocol.truncation
    return EvalPlan(
        model=config.model,
        engine=engine,
        task_set=task_set,
        settings=settings,
        policies=config.policies,
        ablates=config.ablate,
        samples=config.samples,
        greedy=Sampling(0.0, config.max_turn_tokens, truncation=truncation),
        sampled=Sampling(config.temperature, config.max_turn_tokens, truncation=truncation),
        seed=config.seed,
        recorded=(config, provenance, *recorded),
        folder=config.folder,
        whole=None if config.shard is None else Path(config.output_dir),
        shard=config.shard,
        scores_as_released=config.scorer == "released",
        writes_lmms_samples=config.lmms_samples,
        protocol=protocol,
        judge=config.judge_settings,
        texts=texts,
    )


def _texts(config: EvalConfig, protocol: Protocol | None) -> dict[str, str]:
    """The texts of the user's files, by kind; none where no tool is offered, which such texts describe.

    Raises ConfigError for one that is not the protocol's.
    """
    if protocol is not None and protocol.variant:
        return {}
    files = {"system": config.system_file, "question": config.prompt_file}
    texts = {kind: read_text(file, kind, protocol) for kind, file in files.items() if file is not None}
    return texts if protocol is None else {kind: as_known(text, kind) for kind, text in texts.items()}


def _dialect(known: ModelDialect, protocol: Protocol | None, texts: Mapping[str, str]) -> Dialect:
    """The dialect that is played, in the words of the user's files."""
    question, system = texts.get("question"), texts.get("system")
    if protocol is None:
        dialect = known.dialect if question is None else known.plain
    else:
        dialect = played_dialect(protocol, known)
    if question is not None:
        dialect = with_question(dialect, question, None if protocol is None else question_text(question, protocol))
    return dialect if system is None else with_system(dialect, system)


def _engine(config: EvalConfig, limits: Limits) -> EngineChoice:
    """The engine for the model. Raises ConfigError for one that cannot play the policies of `config`."""
    choice = config.chosen(config.model, limits, dtype=config.dtype, max_batch=config.max_batch)
    if not choice.spec.has_model:
        check_player(config.model)
    if not choice.spec.can_ban_tokens and NO_ZOOM in config.policies and not config.ablate:
        others = " ".join(name for name in config.policies if name != NO_ZOOM) or LEARNED_ZOOM
        raise ConfigError(
            f"--engine {config.engine} cannot ban tokens, which the policy {NO_ZOOM} needs to prevent calls. "
            f"Give --policies {others}"
        )
    return choice


def _questions(config: EvalConfig) -> TaskSet:
    """The questions with their options in the shown order; for a shard, its part."""
    task_set = load_tasks(
        config.tasks,
        split=config.split,
        count=config.task_count,
        strict=config.strict,
        grader=config.grader,
        follow_links=config.follow_links,
        media_root=config.media_root,
    )
    if config.grader is not None:
        check_gradable(task_set.tasks)
    if config.shuffle_options:
        task_set = shuffled(task_set, config.seed)
    if config.shard is None:
        return task_set
    tasks = shard_named(config.shard).of(task_set.tasks)
    if not tasks:
        raise ConfigError(f"--shard {config.shard} has no questions: the set has {len(task_set)}. Make fewer shards.")
    return replace(task_set, tasks=tasks)


def _check_evidence(config: EvalConfig, tasks: Sequence[Task], *, has_model: bool) -> None:
    """Raises ConfigError if a policy of `config`, or its scripted player, needs evidence that a task does not have."""
    without = [task.task_id for task in tasks if not task.evidence]
    if not without:
        return
    counted = f"{len(without)} of {len(tasks)} questions have no evidence (the first: {without[0]!r})"
    if not has_model:
        if config.samples or set(config.policies) != {NO_ZOOM}:
            raise ConfigError(f"{counted}. {NEEDS_EVIDENCE}")
        return
    scripted = [name for name in config.policies if name in SCRIPTED_ZOOM]
    if scripted:
        others = " ".join(name for name in config.policies if name not in SCRIPTED_ZOOM) or LEARNED_ZOOM
        raise ConfigError(
            f"{counted}, which the first operation of {' and '.join(scripted)} is made from. "
            f"Add 'evidence' to the rows, or give --policies {others}."
        )

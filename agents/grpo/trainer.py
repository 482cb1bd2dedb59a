"""`PixelGRPOTrainer`: TRL's GRPOTrainer on rollouts of pixel environments.

`_generate` plays episodes, `_calculate_rewards` computes rewards of whole groups, and the other overrides give each
forward pass only the rows with a gradient, with their pixels loaded at that time. The loss is TRL's. Depends on TRL's
trainer, whose methods used here `tests/contracts/test_trl.py` pins; independent of commands and flags.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback
from trl.models.utils import unwrap_model_for_generation

from agents.chat.chat import Chat
from agents.checkpoints.context import context_of, within_context
from agents.checkpoints.continuing import TrainedModel, model_to_train
from agents.checkpoints.vision_tower import freeze_vision_tower, without_tower
from agents.config.model_dialect import dialect_of_object
from agents.engines.protocol import Engine
from agents.engines.transformers import TransformersEngine
from agents.grpo.before_loading import check_before_loading
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.engine import check_fsdp, trainer_engine
from agents.grpo.failures import FailureReport
from agents.grpo.filter import kept_indices, share_of_normaliser
from agents.grpo.forward_passes import forward_passes
from agents.grpo.generation_batches import GenerationBatches
from agents.grpo.held_out import HeldOut
from agents.grpo.kept_on_disk import KeptOnDisk
from agents.grpo.metrics import length_figures, part_metrics, trajectory_metrics
from agents.grpo.micro_batches import by_question, may_rearrange
from agents.grpo.replay_batches import Replay, buffer_of
from agents.grpo.reward_functions import RewardFunction
from agents.grpo.rewards import GroupShaping, completion_columns, group_reward_of, reward_columns, significant
from agents.grpo.rollout_log import GenerationLog
from agents.grpo.rows import (
    loss_mask,
    messages_of,
    moving,
    sampled_ids,
    task_columns,
    task_rows,
    with_tokens,
    zero_loss,
)
from agents.grpo.scored_rows import rows_of, scattered
from agents.grpo.seeds import GenerationSeeds
from agents.grpo.token_ban import banned
from agents.grpo.tower_features import FeatureStores
from agents.rollout import Rollout, rollout
from agents.run_log.callback import attach_run_log
from agents.run_log.rollouts import RolloutLog
from agents.run_log.timing import StepTimes, TimedEngine
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Stop
from pixel_env.tasks import TaskSpec, load_tasks
from rewards.shaping import GroupReward


class PixelGRPOTrainer(KeptOnDisk):
    """GRPO on rollouts with image operations.

    `model`: a folder (of an adapter: that one is trained on), a hub id, the name of an embedded checkpoint, or a model;
    `tasks`: whatever `load_tasks` takes; `reward_funcs`: TRL's (they are also given `trajectory=` and the columns of
    `rows.task_columns`, one per completion); `group_reward`: a preset, 'module:function' or a function, by default that
    of `args`. The total reward is the sum of all. All are tried on made-up rollouts before the model is loaded.
    """

    _buffered_inputs: Any
    """TRL's: the micro-batches of the present generation, or None."""

    def __init__(
        self,
        model: Any,
        tasks: TaskSpec,
        args: PixelGRPOConfig | None = None,
        reward_funcs: RewardFunction | list[RewardFunction] | None = None,
        group_reward: str | GroupReward | None = None,
        eval_tasks: TaskSpec | None = None,
        processing_class: Any = None,
        dialect: Dialect | None = None,
        callbacks: list[TrainerCallback] | None = None,
        peft_config: Any = None,
        quantization_config: Any = None,
    ) -> None:
        args = args or PixelGRPOConfig()
        engine, args.use_vllm = args.engine_beside, False  # TRL would start an engine of its own
        beside = None if engine is None else trainer_engine(engine, args)
        self._task_sets = {"train": load_tasks(tasks, split="train")}
        if eval_tasks is not None:
            self._task_sets["eval"] = load_tasks(eval_tasks, split="test")
        self.dialect = dialect or args.take(dialect_of_object(args.dialect, model))
        chosen_reward = group_reward_of(group_reward, args)
        self._shaping = None if chosen_reward is None else GroupShaping(chosen_reward)
        functions, args.reward_weights = reward_columns(reward_funcs, chosen_reward, args.reward_weights)
        check_before_loading(args, model, engine, self.dialect, self._task_sets, chosen_reward, functions, peft_config)
        self._batches = GenerationBatches.of(len(self._task_sets["train"]), args)
        trained = model_to_train(
            TrainedModel(model, processing_class, peft_config, quantization_config, args.model_init_kwargs),
            padding_side="left",
            truncation_side="left",
        )
        args.model_init_kwargs, self.continued_adapter = trained.model_init_kwargs, trained.adapter
        super().__init__(
            model=trained.model,
            reward_funcs=functions,
            args=args,
            train_dataset=task_rows(self._batches.tasks, self._batches.copies),
            eval_dataset=task_rows(len(self._task_sets["eval"])) if eval_tasks is not None else None,
            processing_class=trained.processing_class,
            callbacks=callbacks,
            peft_config=without_tower(trained.peft_config) if args.freeze_vision_tower else trained.peft_config,
            quantization_config=trained.quantization_config,
        )
        if args.freeze_vision_tower:
            freeze_vision_tower(self.model)
        if self.accelerator.is_main_process and (notice := self._batches.notice()) is not None:
            print(notice, flush=True)
        self.chat = Chat(self.processing_class, self.dialect)
        self._rollouts: dict[str, list[Rollout]] = {"train": [], "eval": []}
        self._scored: Sequence[Rollout] = ()
        self._failures = FailureReport()
        self._seeds = GenerationSeeds(args.seed)
        self._held_out = HeldOut(self.num_generations_eval)
        # A row of zero advantage has no gradient, unless a KL or an entropy term gives it one.
        has_other_terms = self.beta or self._entropy_bonus_enabled or self.aux_loss_enabled
        self._filters = args.filter_zero_advantage and not has_other_terms and self.top_entropy_quantile == 1.0
        has_batch_terms = self._entropy_bonus_enabled or self.aux_loss_enabled
        self._may_rearrange = not has_batch_terms and may_rearrange(args, self.accelerator.num_processes)
        self._features = FeatureStores(self.chat, is_sharded=self.is_deepspeed_enabled or self.is_fsdp_enabled)
        self._replay = Replay(buffer_of(args), self.chat.pad_id) if args.replay_capacity else None
        if self.is_fsdp_enabled:
            check_fsdp(self.accelerator, has_engine=beside is not None)
        self._beside = None if beside is None else beside(args, self.model, self.chat, self.accelerator)
        # TRL corrects for another sampler's log-probabilities where it believes that vLLM generates.
        self.use_vllm = args.use_vllm = beside is not None
        self._times = StepTimes()
        rollout_log = RolloutLog(Path(args.output_dir), args.log_rollouts_steps, args.log_rollouts_groups)
        self._generation_log = GenerationLog(rollout_log, self.accelerator, filters=self._filters)
        attach_run_log(self, self._times, rollout_log)

    # ------------------------------------------------------------------------------------------------- rollouts

    def _generate(self, prompts: list[str]) -> tuple[Any, ...]:
        """Plays one episode per row. Images stay references; each forward pass loads those of its own rows."""
        mode = self._mode
        task_set = self._task_sets[mode]
        settings = self.args.settings(self.dialect, task_set)
        settings = replace(settings, limits=within_context(settings.limits, context_of(self.model), "the model"))
        tasks = {prompt: task_set.tasks[int(prompt)] for prompt in dict.fromkeys(prompts)}
        with self._times.part("weights"), self._generating() as engine, self._times.part("operations"):
            played = rollout(
                [tasks[prompt] for prompt in prompts],
                TimedEngine(engine, self._times),
                self.chat,
                settings=settings,
                sampling=self.args.sampling(mode),
                seed=self._rollout_seed(mode, len(prompts)),
            )
        rollouts = [with_tokens(row, self.chat) for row in played]
        self._rollouts[mode] = rollouts
        self._scored = rollouts
        self._log_lengths(rollouts, mode)
        return (
            [list(row.prompt_ids) for row in rollouts],
            [list(row.completion_ids) for row in rollouts],
            [[int(sampled) for sampled in row.sampled] for row in rollouts],
            [messages_of(row.trajectory) for row in rollouts],
            [list(row.logprobs) for row in rollouts],
            {"trajectory": [row.trajectory for row in rollouts], **task_columns([tasks[prompt] for prompt in prompts])},
            None,
            [],
        )

    @contextmanager
    def _generating(self) -> Iterator[Engine]:
        """The engine, with the current weights."""
        with torch.no_grad():
            if self._beside is not None:
                policy = self.accelerator.unwrap_model(self.model_wrapped)
                with self._beside.generating(policy, self.state.global_step) as engine:
                    yield engine
                return
            with (
                unwrap_model_for_generation(
                    self.model_wrapped, self.accelerator, gather_deepspeed3_params=self.args.ds3_gather_for_generation
                ) as policy,
                self.accelerator.autocast(),
            ):
                yield self._engine(policy)

    def _engine(self, policy: torch.nn.Module) -> Engine:
        """The policy itself as an engine."""
        return TransformersEngine(policy, self.chat, max_batch=self.args.rollout_batch_size)

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def _rollout_seed(self, mode: str, rows: int) -> int:
        # A group that is spread over processes, or a task of several groups, must not play the same rollouts in each.
        is_whole = rows % self._group_size(mode) == 0 and (mode == "eval" or self._batches.copies == 1)
        process = 0 if is_whole else self.accelerator.process_index
        return self._seeds.next(mode, self.state.global_step, process)

    def _group_size(self, mode: str) -> int:
        return self.num_generations if mode == "train" else self.num_generations_eval

    # -------------------------------------------------------------------------------------------------- rewards

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> torch.Tensor:
        """TRL's matrix of (all processes' rollouts, functions); the group reward fills its last column."""
        mode = self._mode
        local = [row.trajectory for row in self._rollouts[mode]]
        questions = [[{"role": "user", "content": trajectory.prompt.text}] for trajectory in local]
        rewards = super()._calculate_rewards(
            inputs, questions, completions, [sampled_ids(row) for row in self._rollouts[mode]]
        )
        if rewards.device.type != "mps":  # the mean of equal float32 numbers differs from them by rounding
            rewards = rewards.double()
        trajectories = gather_object(local)
        self._failures.of(trajectories, mode, self.state.global_step, is_main=self.accelerator.is_main_process)
        parts: dict[str, np.ndarray] = {}
        if self._shaping is not None:
            totals, parts = self._shaping.of(trajectories, self._group_size(mode))
            rewards[:, -1] = torch.as_tensor(totals, dtype=rewards.dtype, device=rewards.device)
            self._log(mode, part_metrics(parts))
            if self.log_completions:
                first = self.accelerator.process_index * len(local)
                for column, values in completion_columns(parts, slice(first, first + len(local))).items():
                    self._log_completion_extra(column, values)
        # A failed episode is no evidence about the policy: TRL leaves a row of NaN out of the group.
        rewards[torch.tensor([trajectory.stop is Stop.FAILED for trajectory in trajectories])] = torch.nan
        self._log(mode, trajectory_metrics(trajectories))
        self._generation_log.scored(
            trajectories, rewards, parts, {} if self._shaping is None else self._shaping.weights
        )
        if mode == "eval":
            self._held_out.add(trajectories)
        self._rewards = rewards
        return rewards

    # --------------------------------------------------------------------------------------------------- update

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        """TRL's micro-batch; a generation's rows are arranged so that the rollouts of a question are read together."""
        known = self._buffered_inputs
        inputs: dict[str, Any] = super()._prepare_inputs(generation_batch)
        if self._mode == "eval" or self._buffered_inputs is known or not self._may_rearrange:
            return inputs
        questions = [row.trajectory.task.task_id for row in self._rollouts["train"]]
        self._buffered_inputs = by_question(self._buffered_inputs, questions, self.args.gradient_accumulation_steps)
        return self._buffered_inputs[self._step % self.args.steps_per_generation]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL's batch with one more column: the index of each row's rollout, kept through shuffling and splitting."""
        self._features.forget()
        with self._times.part("scoring"):
            batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        batch["advantages"] = significant(
            batch["advantages"], self._rewards, self.reward_weights, self._group_size(self._mode), self.accelerator,
            are_batch_centred=self.multi_objective_aggregation == "normalize_then_sum",
        )  # fmt: skip
        batch["rollout_index"] = torch.arange(len(inputs), device=batch["advantages"].device)
        share = self.accelerator.gather(moving(batch["advantages"]).float()).mean().item()
        self._log(self._mode, {"filtered": 1.0 - share})
        filled = self._replayed(batch) if self._replay is not None and self._mode == "train" else batch
        self._keep_rollouts(batch, filled)
        if self.log_completions:
            self._generation_log.name_prompts(self._logs["prompt"])
        return filled

    def _keep_rollouts(self, batch: dict[str, Any], filled: dict[str, Any]) -> None:
        """Keeps rollouts of this generation in `rollouts.jsonl`, every few steps."""
        mode, step = self._mode, self.state.global_step
        lasts = -(-self.args.steps_per_generation * self.num_iterations // self.args.gradient_accumulation_steps)
        self._generation_log.keep(
            batch,
            filled,
            self._rollouts[mode],
            kind=mode,
            steps=(step + 1, step + lasts) if mode == "train" else (step, step),
            size=self._group_size(mode),
            names=self.reward_func_names,
            weights=self.reward_weights,
        )

    def _replayed(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch with buffered rows instead of those of zero advantage."""
        assert self._replay is not None
        step = self.state.global_step
        generation = self._seeds.count("train")
        rng = np.random.default_rng((self.args.seed, step, generation, self.accelerator.process_index))
        filled = self._replay.fill(batch, self._rollouts["train"], step, rng)
        self._rollouts["train"] = filled.rollouts
        gathered = gather_object([filled.figures])
        self._log("train", {name: float(np.mean([one[name] for one in gathered])) for name in filled.figures})
        items = self.accelerator.gather(loss_mask(filled.batch).sum()).sum()
        return {**filled.batch, "num_items_in_batch": items}

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """TRL's loss on the rows that change the policy, scaled to be the loss of all rows."""
        mode = self._mode
        kept = inputs
        if mode == "train" and self._filters:
            indices = kept_indices(inputs["advantages"], self.accelerator)
            if not len(indices):
                return zero_loss(model)
            kept = rows_of(inputs, indices)
        self._scored = [self._rollouts[mode][index] for index in kept["rollout_index"].tolist()]
        loss = super()._compute_loss(model, kept)
        return loss * share_of_normaliser(self.loss_type, kept, inputs)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """TRL's of the sampled tokens, 0 elsewhere; in batches of rows of similar length, with their own images."""
        scored = self._scored
        if len(scored) != len(input_ids):
            raise RuntimeError(f"{len(input_ids)} rows are to be scored, but there are {len(scored)} rollouts")
        policy = self.accelerator.unwrap_model(model)
        passes = forward_passes(
            scored,
            input_ids,
            logits_to_keep,
            batch_size=batch_size,
            chat=self.chat,
            tower=self._features.of(policy, self.args.settings(self.dialect, self._task_sets[self._mode]).budgets),
            processes=self.accelerator.num_processes,
            sharded=self._features.is_sharded,
        )
        results, places = [], []
        for one in passes:
            with banned(policy, self.chat.banned_ids), one.given(model), one.only_sampled(policy):
                width = one.input_ids.numel()  # all that is scored, whatever it is
                results.append(
                    super()._get_per_token_logps_and_entropies(
                        model, one.input_ids, one.attention_mask, width, **options
                    )
                )
            places.append(one.places)
        return scattered(results, places, (len(scored), logits_to_keep))

    # ----------------------------------------------------------------------------------------------- evaluation

    def evaluate(self, *args: Any, **options: Any) -> Any:
        """TRL's; accuracy and RaPR are those of all held-out rollouts, each counted once, with a 95 % interval."""
        self._held_out = HeldOut(self.num_generations_eval)
        figures = super().evaluate(*args, **options)
        self._held_out.check_can_choose(self.args.metric_for_best_model, figures)
        return figures

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """TRL's, but not its mean over batches, of which the last may be smaller or filled up."""
        if self._metrics["eval"]:
            self._metrics["eval"] |= {name: [value] for name, value in self._held_out.figures().items()}
        super().log(logs, start_time)

    # -------------------------------------------------------------------------------------------------- logging

    def _log(self, mode: str, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._metrics[mode][name].append(value)

    def _log_lengths(self, rollouts: Sequence[Rollout], mode: str) -> None:
        """Logs TRL's length metrics, as the overridden method does: of sampled tokens, not observations."""
        lengths = [[len(row.prompt_ids), sum(row.sampled), len(row.completion_ids)] for row in rollouts]
        gathered = self.accelerator.gather(torch.tensor(lengths, device=self.accelerator.device)).float()
        if mode == "train":
            self.state.num_input_tokens_seen += int(gathered[:, 0].sum() + gathered[:, 2].sum())
        self._metrics[mode]["num_tokens"] = [self.state.num_input_tokens_seen]
        self._log(mode, length_figures(gathered.cpu().numpy()))

    def _send_telemetry(self) -> None:
        """Sends nothing."""


__all__ = ["PixelGRPOConfig", "PixelGRPOTrainer"]

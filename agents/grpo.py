"""`PixelGRPOTrainer`: TRL's GRPOTrainer on rollouts of pixel environments.

It translates and copies nothing: `_generate` plays episodes, `_calculate_rewards` shapes whole groups, the rest of the
overrides see to it that a forward pass gets only the rows that matter, and their pixels only then. The loss is TRL's.
`tests/contracts/test_trl.py` pins every seam used here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback
from trl import GRPOTrainer
from trl.models.utils import unwrap_model_for_generation

from agents.chat import Chat
from agents.engines.protocol import Engine
from agents.engines.transformers import TransformersEngine
from agents.grpo_config import PixelGRPOConfig
from agents.grpo_metrics import part_metrics, trajectory_metrics
from agents.grpo_rows import loss_mask, messages_of, moving, task_rows, with_tokens, zero_loss
from agents.models import model_folder
from agents.pictures import check_placeholders, features_of
from agents.rollout import Rollout, rollout
from agents.scored_rows import attended, length_batches, rows_of, scattered, trimmed
from agents.token_ban import banned
from pixel_env.dialects import Dialect, dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.tasks import TaskSpec, load_tasks
from pixel_env.types import Stop, Trajectory
from rewards.shaping import GroupReward, group_reward_named, reward_parts

RewardFunction = Callable[..., list[float | None]]


class PixelGRPOTrainer(GRPOTrainer):
    """GRPO whose rollouts look closer.

    `model`: a folder, a hub id, the name of an embedded checkpoint, or a model; `tasks`: whatever `load_tasks` takes;
    `reward_funcs`: TRL's, unchanged (they are also given `trajectory=`, one per completion); `group_reward`: a preset,
    'module:function' or a function, by default what `args` says. All rewards are added up.
    """

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
        if args.use_vllm:
            raise ConfigError("use_vllm is not supported: rollouts are generated with transformers. Leave it out.")
        self._task_sets = {"train": load_tasks(tasks, split="train")}
        if eval_tasks is not None:
            self._task_sets["eval"] = load_tasks(eval_tasks, split="test")
        chosen = group_reward if group_reward is not None else args.group_reward
        self._group_reward = group_reward_named(chosen) if isinstance(chosen, str) else chosen
        functions: list[Any] = (
            list(reward_funcs) if isinstance(reward_funcs, list) else [reward_funcs] if reward_funcs else []
        )
        if self._group_reward is not None:
            functions.append(_group_column)
            if args.reward_weights is not None and len(args.reward_weights) == len(functions) - 1:
                args.reward_weights = [*args.reward_weights, 1.0]
        super().__init__(
            model=model_folder(model) if isinstance(model, str) else model,
            reward_funcs=functions,
            args=args,
            train_dataset=task_rows(len(self._task_sets["train"])),
            eval_dataset=task_rows(len(self._task_sets["eval"])) if eval_tasks is not None else None,
            processing_class=processing_class,
            callbacks=callbacks,
            peft_config=peft_config,
            quantization_config=quantization_config,
        )
        self.dialect = dialect or dialect_named(args.dialect)
        self.chat = Chat(self.processing_class, self.dialect)
        self._rollouts: dict[str, list[Rollout]] = {"train": [], "eval": []}
        self._scored: Sequence[Rollout] = ()
        self._generations_of_step = {"train": (-1, 0), "eval": (-1, 0)}
        self._filters = args.filter_zero_advantage and self._only_advantages_move_the_policy()

    # ------------------------------------------------------------------------------------------------- rollouts

    def _generate(self, prompts: list[str]) -> tuple[Any, ...]:
        """Plays one episode per row. Pictures stay references: the forward pass materialises those of its own rows."""
        mode = self._mode
        task_set = self._task_sets[mode]
        settings = self.args.settings(self.dialect, task_set)
        composed = {prompt: task_set.tasks[int(prompt)] for prompt in dict.fromkeys(prompts)}
        with (
            unwrap_model_for_generation(
                self.model_wrapped, self.accelerator, gather_deepspeed3_params=self.args.ds3_gather_for_generation
            ) as policy,
            torch.no_grad(),
            self.accelerator.autocast(),
        ):
            played = rollout(
                [composed[prompt] for prompt in prompts],
                self._engine(policy),
                self.chat,
                settings=settings,
                sampling=self.args.sampling(),
                seed=self._rollout_seed(mode, len(prompts)),
            )
        _check_that_some_played(played)
        rollouts = [with_tokens(row, self.chat) for row in played]
        self._rollouts[mode] = rollouts
        self._scored = rollouts
        self._log_lengths(rollouts, mode)
        return (
            [list(row.prompt_ids) for row in rollouts],
            [list(row.completion_ids) for row in rollouts],
            [[int(said) for said in row.sampled] for row in rollouts],
            [messages_of(row.trajectory) for row in rollouts],
            [list(row.logprobs) for row in rollouts],
            {"trajectory": [row.trajectory for row in rollouts]},
            None,
            [],
        )

    def _engine(self, policy: torch.nn.Module) -> Engine:
        """What generates turns with the present weights."""
        return TransformersEngine(policy, self.chat, max_batch=self.args.rollout_batch_size)

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"

    def _rollout_seed(self, mode: str, rows: int) -> int:
        """One seed per generation. It names no process unless a query's rollouts are spread over several."""
        # Counted per mode: a resumed run does not repeat the evaluation that came before its first step.
        step, count = self._generations_of_step[mode]
        count = count + 1 if step == self.state.global_step else 0
        self._generations_of_step[mode] = (self.state.global_step, count)
        group = self.num_generations if mode == "train" else self.num_generations_eval
        process = 0 if rows % group == 0 else self.accelerator.process_index
        entropy = (self.args.seed, self.state.global_step, count, int(mode == "eval"), process)
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])

    # -------------------------------------------------------------------------------------------------- rewards

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> torch.Tensor:
        """TRL's matrix of (all processes' rollouts, functions); the group reward fills its last column."""
        mode = self._mode
        local = [row.trajectory for row in self._rollouts[mode]]
        questions = [[{"role": "user", "content": trajectory.prompt.text}] for trajectory in local]
        rewards = super()._calculate_rewards(inputs, questions, completions, completion_ids_list)
        trajectories = gather_object(local)
        if self._group_reward is not None:
            group = self.num_generations if mode == "train" else self.num_generations_eval
            totals = self._shaped(self._group_reward, trajectories, group, mode)
            rewards[:, -1] = torch.as_tensor(totals, dtype=rewards.dtype, device=rewards.device)
        # An episode that broke says nothing about the policy: TRL leaves a row of NaN out of the group.
        rewards[torch.tensor([trajectory.stop is Stop.FAILED for trajectory in trajectories])] = torch.nan
        self._log(mode, trajectory_metrics(trajectories))
        return rewards

    def _shaped(
        self, group_reward: GroupReward, trajectories: Sequence[Trajectory], group_size: int, mode: str
    ) -> np.ndarray:
        """Total of each rollout, each query's rollouts judged together; the parts are logged."""
        totals_B = np.full(len(trajectories), np.nan)
        parts: dict[str, list[np.ndarray]] = {}
        for start in range(0, len(trajectories), group_size):
            members = range(start, min(start + group_size, len(trajectories)))
            places = [place for place in members if trajectories[place].stop is not Stop.FAILED]
            if not places:
                continue
            shaped = reward_parts(group_reward, [trajectories[place] for place in places])
            totals_B[places] = shaped.total_G
            for name, values_G in shaped.named().items():
                parts.setdefault(name, []).append(values_G)
        self._log(mode, part_metrics({name: np.concatenate(values) for name, values in parts.items()}))
        return totals_B

    # --------------------------------------------------------------------------------------------------- update

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL's batch; each row also names its rollout, which it keeps through TRL's shuffling and splitting."""
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        batch["rollout_index"] = torch.arange(len(inputs), device=batch["advantages"].device)
        share = self.accelerator.gather(moving(batch["advantages"]).float()).mean().item()
        self._log(self._mode, {"filtered": 1.0 - share})
        return batch

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """TRL's loss on the rows that move the policy, scaled to be the loss of all rows."""
        mode = self._mode
        kept = inputs
        if mode == "train" and self._filters:
            places = self._kept_places(inputs["advantages"])
            if not len(places):
                return zero_loss(model)
            kept = rows_of(inputs, places)
        self._scored = [self._rollouts[mode][place] for place in kept["rollout_index"].tolist()]
        loss = super()._compute_loss(model, kept)
        return loss * self._share_of_normaliser(kept, inputs)

    def _kept_places(self, advantages: torch.Tensor) -> torch.Tensor:
        """Places of the rows that move the policy, in order; with several processes, as many in each."""
        moves = moving(advantages)
        count = int(moves.sum())
        if self.accelerator.num_processes > 1:
            # TRL gathers one figure per row, and every process must run its passes: rows of zero advantage fill up.
            count = max(1, int(self.accelerator.gather(moves.sum()).max()))
        return torch.argsort(moves.int(), descending=True, stable=True)[:count].sort().values

    def _share_of_normaliser(self, kept: dict[str, Any], inputs: dict[str, Any]) -> float:
        """What the kept rows' loss is multiplied by to be that of all rows, whose other members add exactly 0."""
        match self.loss_type:
            case "cispo" | "dapo" | "vespo":  # divided by num_items_in_batch, which counts the whole batch
                return 1.0
            case "bnpo":
                return float(loss_mask(kept).sum() / loss_mask(inputs).sum().clamp(min=1))
            case _:  # a mean over rows
                return len(kept["advantages"]) / len(inputs["advantages"])

    def _only_advantages_move_the_policy(self) -> bool:
        """Whether a row of zero advantage has no gradient: not with a KL or an entropy term."""
        return not (
            self.beta or self._entropy_bonus_enabled or self.top_entropy_quantile < 1.0 or self.aux_loss_enabled
        )

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """TRL's, in batches of rows of similar length, each cut to its longest, with the pixels of these rows."""
        scored = self._scored
        if len(scored) != len(input_ids):
            raise RuntimeError(f"{len(input_ids)} rows are scored, but {len(scored)} rollouts are known for them")
        attention_mask = attended(scored, attention_mask, logits_to_keep)
        settings = self.args.settings(self.dialect, self._task_sets[self._mode])
        # Processes that shard the model must run the same number of forward passes.
        batches = length_batches(attention_mask, batch_size, may_split=self.accelerator.num_processes == 1)
        results = []
        for rows in batches:
            ids, mask, keep = trimmed(input_ids[rows], attention_mask[rows], logits_to_keep)
            rollouts = [scored[place] for place in rows.tolist()]
            features = features_of(rollouts, self.chat, settings.budgets)
            check_placeholders(rollouts, ids, features.get("image_grid_thw"), self.chat)
            pictures: dict[str, Any] = {name: tensor.to(ids.device) for name, tensor in features.items()}
            if pictures:
                types = self.chat.mm_token_type_ids(ids)
                pictures |= {"num_images": [len(row.views) for row in rollouts], "mm_token_type_ids": types}
            with banned(self.accelerator.unwrap_model(model), self.chat.banned_ids):
                results.append(
                    super()._get_per_token_logps_and_entropies(model, ids, mask, keep, **{**options, **pictures})
                )
        return scattered(results, batches, logits_to_keep)

    # -------------------------------------------------------------------------------------------------- logging

    def _log(self, mode: str, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._metrics[mode][name].append(value)

    def _log_lengths(self, rollouts: Sequence[Rollout], mode: str) -> None:
        """TRL's length figures, which belong to the method that is overridden: sampled tokens, not observations."""
        lengths = [[len(row.prompt_ids), sum(row.sampled), len(row.completion_ids)] for row in rollouts]
        gathered = self.accelerator.gather(torch.tensor(lengths, device=self.accelerator.device)).float()
        if mode == "train":
            self.state.num_input_tokens_seen += int(gathered[:, 0].sum() + gathered[:, 2].sum())
        self._metrics[mode]["num_tokens"] = [self.state.num_input_tokens_seen]
        figures = {"prompts/mean_length": gathered[:, 0].mean(), "completions/mean_length": gathered[:, 1].mean()}
        figures |= {"completions/min_length": gathered[:, 1].min(), "completions/max_length": gathered[:, 1].max()}
        figures["completions/mean_length_with_observations"] = gathered[:, 2].mean()
        self._log(mode, {name: float(value) for name, value in figures.items()})

    def _send_telemetry(self) -> None:
        """Nothing is reported to anybody."""


def _check_that_some_played(played: Sequence[Rollout]) -> None:
    """Single episodes may break; if all of a process do, training would go on without learning anything."""
    if played and all(row.trajectory.stop is Stop.FAILED for row in played):
        raise TaskError(f"all {len(played)} episodes of this step broke; the first: {played[0].trajectory.error}")


def _group_column(completions: list[Any], **_: Any) -> list[float]:
    """Keeps a column of TRL's matrix for the group reward, which is known once all processes' rollouts are."""
    return [0.0] * len(completions)


_group_column.__name__ = "group_reward"  # TRL logs a function by its name


__all__ = ["PixelGRPOConfig", "PixelGRPOTrainer"]

"""Mutants of rewards, the core loop, training, engines and replay."""

from tests.mutants.mutant import Mutant

ROLLOUT = ("tests/agents/test_rollout.py",)
REWARDS = ("tests/rewards/test_rewards.py",)
ENGINES = ("tests/agents/engines/test_engines.py",)
KEPT = ("tests/agents/engines/test_kept_states.py",)
COLLATOR = ("tests/agents/sft/test_collator.py",)
ZERO_ADVANTAGE = (
    "tests/agents/grpo/test_trainer.py::test_leaving_out_rows_of_zero_advantage_changes_neither_loss_nor_gradients",
)
PARITY = ("tests/agents/grpo/test_trainer.py::test_sampler_and_trainer_agree_on_every_token_they_share",)
SHARED_IMAGES = ("tests/agents/grpo/test_shared_images.py",)
BROKEN_EPISODE = ("tests/agents/grpo/test_trainer.py::test_an_episode_that_breaks_is_left_out_of_its_group",)
VLLM_WEIGHTS = ("tests/agents/engines/test_vllm.py::test_new_weights_count_at_once_in_every_part_of_the_model",)

MUTANTS = (
    # --------------------------------------------------------------------------------------------------------- rewards
    Mutant(
        "operations are paid instead of penalised",
        "efficiency_penalty",
        "return weight * np.minimum(",
        "return -weight * np.minimum(",
        REWARDS,
    ),
    Mutant(
        "the curiosity bonus counts refused calls",
        "shaped_reward",
        "trajectory.valid_operations > 0",
        "trajectory.operations > 0",
        REWARDS,
    ),
    Mutant(
        "refused calls are free of the penalty",
        "shaped_reward",
        "trajectories_G])\n    operations_G = np.array([trajectory.operations for",
        "trajectories_G])\n    operations_G = np.array([trajectory.valid_operations for",
        REWARDS,
    ),
    Mutant(
        "an option that is denied is chosen",
        "stance_of",
        "if _DENIED_BEFORE.search(before) or",
        "if",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    Mutant(
        "of two options of which one holds the other the shorter is chosen",
        "option_texts._pattern",
        "key=lambda text: (-len(text), text)",
        "key=lambda text: (len(text), text)",
        ("tests/pixel_env/grading/test_grading.py",),
    ),
    # ------------------------------------------------------------------------------------------------------- core loop
    Mutant(
        "observations count as sampled",
        "_Episode._observe",
        "self._append(ids, [0.0] * len(ids), sampled=False)",
        "self._append(ids, [0.0] * len(ids), sampled=True)",
        ROLLOUT,
    ),
    Mutant(
        "forced turns count as sampled",
        "_Episode.begin",
        "self._step(ids, [0.0] * len(ids), self.opening + said, sampled=False)",
        "self._step(ids, [0.0] * len(ids), self.opening + said, sampled=True)",
        ROLLOUT,
    ),
    Mutant(
        "all rollouts of a question share a seed",
        "_episodes",
        'f"{seed}/{task.task_id}/{occurrence}"',
        'f"{seed}/{task.task_id}"',
        ROLLOUT,
    ),
    Mutant(
        "vision placeholders may be sampled",
        "_Episode._request",
        "banned_ids=self.chat.banned_ids | self.sampling.banned_ids",
        "banned_ids=self.sampling.banned_ids",
        ROLLOUT,
    ),
    Mutant(
        "the engine ignores the seeds of its requests",
        "Turn.__init__",
        "np.random.default_rng(request.seed)",
        "np.random.default_rng(0)",
        ENGINES,
    ),
    Mutant(
        "the engine samples what is banned",
        "sampling.banned_ids",
        "banned[row, list(ids)] = True",
        "banned[row, list(ids)] = False",
        ENGINES,
    ),
    # -------------------------------------------------------------------------------------------------------- training
    Mutant(
        "deliberate mistakes are trained",
        "_labels",
        "trained = is_sampled and next(turns).train",
        "trained = is_sampled and bool(next(turns))",
        COLLATOR,
    ),
    Mutant(
        "observations are trained",
        "_labels",
        "trained = is_sampled and next(turns).train",
        "trained = not is_sampled or next(turns).train",
        COLLATOR,
    ),
    Mutant(
        "the trainer gives banned tokens a probability",
        "PixelGRPOTrainer._get_per_token_logps_and_entropies",
        "with banned(policy, self.chat.banned_ids),",
        "with banned(policy, frozenset()),",
        PARITY,
    ),
    Mutant(
        "a sampled token is scored one position too late",
        "forward_passes",
        "predicted_at=(row, column - 1)",
        "predicted_at=(row, column)",
        PARITY,
    ),
    Mutant(
        "a tower in training counts as frozen",
        "FeatureStores.of",
        "any(weight.requires_grad for weight in tower.parameters())",
        "False",
        SHARED_IMAGES,
    ),
    Mutant(
        "the features of a frozen tower outlive their generation",
        "FeatureStores.forget",
        "self._frozen.clear()",
        "pass",
        SHARED_IMAGES,
    ),
    Mutant(
        "the rollouts of a question are spread over micro-batches",
        "by_question",
        "(first[asked[row]], lengths[row])",
        "lengths[row]",
        SHARED_IMAGES,
    ),
    Mutant(
        "rows of zero advantage are left out of the normaliser too",
        "share_of_normaliser",
        'return len(kept["advantages"]) / len(whole["advantages"])',
        "return 1.0",
        ZERO_ADVANTAGE,
    ),
    Mutant(
        "an episode that broke counts as a wrong answer",
        "PixelGRPOTrainer._calculate_rewards",
        "trajectories])] = torch.nan",
        "trajectories])] = 0.0",
        BROKEN_EPISODE,
    ),
    # --------------------------------------------------------------------------------------- engines and their weights
    Mutant(
        "images that were embedded with old weights are used again",
        "VLLMEngine.load_weights",
        "self._llm.llm_engine.reset_encoder_cache()",
        "pass",
        VLLM_WEIGHTS,
    ),
    Mutant(
        "prompts that were read with old weights are used again",
        "VLLMEngine.load_weights",
        "self._llm.reset_prefix_cache()",
        "pass",
        VLLM_WEIGHTS,
    ),
    Mutant(
        "turns that were read with old weights are continued",
        "KeptStates.begin_poll",
        "            self.clear()",
        "            pass",
        KEPT,
    ),
    Mutant(
        "a turn is continued whatever images it was about",
        "Conversation.continues",
        " and self.images[:images] == earlier.images",
        "",
        KEPT,
    ),
    Mutant(
        "what follows kept turns has the positions of a beginning",
        "Batch._read",
        "row.kept.state.next_position if row.kept else 0",
        "0",
        KEPT,
    ),
    Mutant(
        "vLLM is given expanded placeholders",
        "collapsed",
        "if not id == previous == image_id]",
        "]",
        ("tests/agents/engines/test_vllm.py::test_greedy_turns_are_those_of_transformers",),
    ),
    Mutant(
        "an engine is given the weights without the adapters",
        "_merged",
        "weight = weight + _full(layer.get_delta_weight(adapter)).detach().to(weight)",
        "weight = weight + 0",
        ("tests/agents/grpo/test_policy_weights.py",),
    ),
    Mutant(
        "an adapter is merged into one matrix for embeddings and output layer",
        "_untied",
        "if is_tied(model.config):",
        "if False:",
        (
            "tests/agents/checkpoints/test_merging.py::"
            "test_merged_in_memory_and_in_a_folder_a_model_says_what_base_and_adapter_say",
        ),
    ),
    Mutant(
        "weights that an adapter lacks are left as they were drawn",
        "with_adapter",
        "    _check_complete(model, adapter)\n",
        "",
        (
            "tests/agents/checkpoints/test_merging.py::test_an_adapter_that_does_not_fit_its_base_is_refused_naming_both",
        ),
    ),
    Mutant(
        "a training that goes on with an adapter leaves it as it was",
        "model_to_train",
        "trains=True",
        "trains=False",
        (
            "tests/agents/checkpoints/test_continuing.py::"
            "test_in_python_the_name_of_an_adapter_is_its_model_with_only_the_adapter_trained",
        ),
    ),
    Mutant(
        "a run goes on from a checkpoint that is not whole",
        "checkpoints_in",
        "if is_whole(path):",
        "if True:",
        ("tests/agents/run_folder/test_checkpoints.py",),
    ),
    Mutant(
        "a signal within a generation ends the run there",
        "Interruption.on_step_end",
        "if not self._trainer.may_resume_here:",
        "if False:",
        ("tests/agents/training_run/test_life.py::test_a_signal_within_a_generation_waits_for_its_end",),
    ),
    Mutant(
        "the engine keeps its weights after a step",
        "ColocatedVLLM.generating",
        "            self._engine.load_weights(policy_weights(policy))\n",
        "",
        (
            "tests/agents/grpo/test_vllm.py::test_what_vllm_samples_is_what_the_trainer_scores_and_weights_travel_once_a_step",
        ),
    ),
    # ---------------------------------------------------------------------------------------------------------- replay
    Mutant(
        "a large advantage is replayed no more often than a small one",
        "ReplayBuffer.draw",
        "for kept in earlier]) ** self.alpha",
        "for kept in earlier]) ** 0",
        ("tests/agents/grpo/test_replay_buffer.py",),
    ),
    Mutant(
        "what was kept at a step is replayed in it",
        "ReplayBuffer.draw",
        "if kept.step < step and id(kept) not in drawn]",
        "if kept.step <= step and id(kept) not in drawn]",
        ("tests/agents/grpo/test_replay_buffer.py",),
    ),
    Mutant(
        "a replayed row counts as sampled by the present policy",
        "Replay.fill",
        '        filled.setdefault("old_per_token_logps", batch["sampling_per_token_logps"])\n',
        "",
        ("tests/agents/grpo/test_replay_batches.py",),
    ),
    Mutant(
        "a resumed run starts with an empty buffer",
        "KeptOnDisk._load_rng_state",
        '            self._replay.load(file, self._task_sets["train"])',
        "            pass",
        ("tests/agents/grpo/test_replay_batches.py",),
    ),
)

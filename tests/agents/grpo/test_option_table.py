"""The rows of the table of options in `docs/training.md` that no test of their own is about."""

import numpy as np
import pytest

from agents.checkpoints.adapter_kinds import check_adapter
from agents.config.trl_choices import CHOICES, CHOICES_OF_SFT
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.trainer import PixelGRPOTrainer
from agents.sft.config import PixelSFTConfig
from pixel_env.cli import main
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.task import TaskSet
from tests.agents.grpo.test_options import config, trained

OUT_OF_BOUNDS = {
    "temperature": (0.0, -1.0),
    "learning_rate": (0.0, -1e-4),
    "num_train_epochs": (0.0, -1.0),
    "max_steps": (0, -2),
    "num_generations": (1,),
    "num_generations_eval": (0,),
    "per_device_train_batch_size": (0,),
    "gradient_accumulation_steps": (0,),
    "steps_per_generation": (0,),
    "num_iterations": (0,),
    "max_completion_length": (0,),
    "beta": (-0.1,),
    "epsilon": (-0.1,),
    "epsilon_high": (-0.1,),
    "delta": (0.0,),
    "top_entropy_quantile": (0.0, 1.5),
    "vllm_importance_sampling_clip_max": (0.0,),
    "vllm_gpu_memory_utilization": (0.0, 1.1),
    "ref_model_mixup_alpha": (1.1,),
    "sapo_temperature_pos": (0.0,),
    "warmup_steps": (-1,),
    "weight_decay": (-1.0,),
    "adam_epsilon": (0.0,),
    "dataloader_num_workers": (-1,),
    "seed": (-1, 2**32),
    "max_turns": (0, -1),
    "max_images": (0,),
    "max_tokens": (0,),
    "max_turn_tokens": (0,),
    "rollout_batch_size": (0,),
    "replay_capacity": (-5,),
    "replay_alpha": (-1.0,),
    "replay_max_age": (0,),
    "eval_temperature": (-0.5,),
}
MISSPELT = {
    **dict.fromkeys(CHOICES, "tokne"),
    "loss_type": "dr_grpoo",
    "scale_rewards": "gruop",
    "served_weights": "dsk",
    "group_reward": "papr",
    "vllm_importance_sampling_mode": "token_mask_",
    "engine": "vlm",
    "eval_strategy": "setps",
    "save_strategy": "setps",
    "lr_scheduler_type": "cosin",
    "optim": "adamw_trch",
    "logging_strategy": "setps",
}
"""Every enumeration, misspelt."""
WITHOUT_ENGINE = {
    "vllm_mode": "server",
    "vllm_server_base_url": "http://127.0.0.1:1",
    "vllm_max_model_length": 512,
    "vllm_tensor_parallel_size": 2,
    "vllm_enable_sleep_mode": True,
    "vllm_options": {"max_num_seqs": 4},
    "served_weights": "nccl",
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, values in OUT_OF_BOUNDS.items() for one in values])
def test_a_number_out_of_its_bounds_is_refused(tmp_path, name, value):
    with pytest.raises(ConfigError, match=rf"{name} is {value}.*; wanted: "):
        config(tmp_path, **{name: value})


@pytest.mark.parametrize("word", ["--temperature=0", "--max_steps=0", "--max_turns=0", "--replay_capacity=-5"])
def test_so_it_is_on_the_command_line(capsys, word):
    assert main(["grpo", "--model_name_or_path", "tiny-warm", word]) == 2
    assert word.strip("-").partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", MISSPELT)
def test_a_misspelt_name_is_refused_before_anything_is_played(tmp_path, name):
    with pytest.raises((ConfigError, UnknownNameError, ValueError), match=MISSPELT[name]):
        config(tmp_path, **{name: MISSPELT[name]})


@pytest.mark.parametrize("name", ["multi_objective_aggregation", "loss_type", "optim", "eval_strategy"])
def test_so_it_is_on_the_command_line_too(capsys, name):
    assert main(["grpo", "--model_name_or_path", "tiny-warm", f"--{name}", MISSPELT[name]]) == 2
    assert MISSPELT[name] in capsys.readouterr().err


@pytest.mark.parametrize("name", CHOICES_OF_SFT)
def test_so_is_one_of_the_warm_start(tmp_path, name):
    with pytest.raises(ConfigError, match=f"{name} is 'nlll'; wanted: .* Did you mean nll"):
        PixelSFTConfig(output_dir=str(tmp_path), use_cpu=True, **{name: "nlll"})


@pytest.mark.parametrize("name", WITHOUT_ENGINE)
def test_an_option_of_vllm_is_refused_where_the_policy_itself_generates(tmp_path, name):
    with pytest.raises(ConfigError, match=f"{name} is .*Set use_vllm, or leave {name} out"):
        config(tmp_path, **{name: WITHOUT_ENGINE[name]})


@pytest.mark.parametrize("name", ["sync_ref_model", "use_adaptive_entropy"])
def test_a_state_that_no_checkpoint_contains_is_refused_where_a_run_could_resume(tmp_path, name):
    options = {name: True, "beta": 0.1}
    with pytest.raises(ConfigError, match=f"{name} is set, but checkpoints do not contain"):
        config(tmp_path, save_strategy="steps", save_steps=1, **options)
    args = config(tmp_path, save_strategy="no", **options)
    with pytest.raises(ConfigError, match=f"{name} is set"):
        args.check_state_is_saved(resumes=True)


def test_a_best_checkpoint_amid_a_generation_batch_is_refused(tmp_path):
    saved = {"save_strategy": "best", "eval_strategy": "steps", "steps_per_generation": 2, "metric_for_best_model": "x"}
    with pytest.raises(ConfigError, match=r"eval_steps is 3.*multiple of 2"):
        config(tmp_path, eval_steps=3, per_device_eval_batch_size=4, **saved)


def test_evaluations_without_held_out_tasks_are_refused_before_the_model_is_loaded(tasks, tmp_path):
    args = config(tmp_path, eval_strategy="steps", eval_steps=1, per_device_eval_batch_size=4)
    with pytest.raises(
        ConfigError, match=r"eval_strategy is 'steps', but there are no held-out tasks\. Give eval_tasks"
    ):
        PixelGRPOTrainer(str(tmp_path / "no checkpoint"), tasks, args)


def test_adapters_that_are_not_changes_of_weights_are_refused_before_the_model_is_loaded(tasks, tmp_path):
    from peft import AdaLoraConfig, LoraConfig, PrefixTuningConfig, PromptTuningConfig

    for refused in (
        PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        AdaLoraConfig(total_step=10),
    ):
        with pytest.raises(ConfigError, match=f"peft_config is a {type(refused).__name__}"):
            PixelGRPOTrainer(str(tmp_path / "none"), tasks, config(tmp_path), peft_config=refused)
    for accepted in (None, LoraConfig(), LoraConfig(use_dora=True)):
        check_adapter(accepted)


# ------------------------------------------------------------------------------------------------------ what works


@pytest.fixture(scope="module")
def one_task(tasks):
    return TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)


LOGGED = {
    "logging_first_step": True,
    "logging_nan_inf_filter": False,
    "log_unique_prompts": True,
    "log_completions": True,
    "num_completions_to_print": 1,
    "include_num_input_tokens_seen": "all",
    "skip_memory_metrics": False,
    "torch_empty_cache_steps": 1,
    "remove_unused_columns": True,
    "average_tokens_across_devices": False,
    "dataloader_drop_last": True,
    "dataloader_pin_memory": False,
    "disable_dropout": True,
    "log_multimodal": True,
    "use_cache": True,
    "full_determinism": False,
    "pad_to_multiple_of": 16,
    "max_grad_norm": 0.0,
    "vllm_importance_sampling_correction": False,
    "rollout_batch_size": 1,
}
"""Options that change no figure of a step."""


def test_options_about_logs_and_speed_make_the_same_step(tiny_checkpoint, one_task, tmp_path):
    _, [plain] = trained(tiny_checkpoint, one_task, config(tmp_path / "plain"))
    _, [found] = trained(tiny_checkpoint, one_task, config(tmp_path / "all", **LOGGED))
    for name in ("loss", "reward", "accuracy", "entropy"):
        assert found[name] == pytest.approx(plain[name], abs=1e-6), name


CHANGED = {
    "delta": {"delta": 1.5},
    "epsilon": {"epsilon": 0.1},
    "use_bias_correction_kl": {"beta": 0.1, "use_bias_correction_kl": True},
    "sync_ref_model": {"beta": 0.1, "sync_ref_model": True, "ref_model_sync_steps": 1},
    "off_policy_mask_threshold": {"off_policy_mask_threshold": 0.5},
    "top_entropy_quantile": {"top_entropy_quantile": 0.5},
    "entropy_coef": {"entropy_coef": 0.01},
    "use_adaptive_entropy": {"use_adaptive_entropy": True, "entropy_target": 0.5},
    "multi_objective_aggregation": {"multi_objective_aggregation": "normalize_then_sum"},
    "importance_sampling_level": {"importance_sampling_level": "sequence", "loss_type": "grpo"},
    "vespo": {"loss_type": "vespo"},
    "optim": {"optim": "sgd", "learning_rate": 1.0, "max_grad_norm": 0.0},
    "lr_scheduler_type": {"lr_scheduler_type": "cosine", "warmup_steps": 0, "weight_decay": 0.1, "adam_beta2": 0.9},
    "shuffle_dataset": {"shuffle_dataset": False, "seed": 7},
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_step_with_the_option_moves_the_policy(tiny_checkpoint, one_task, tmp_path, name):
    _, [row] = trained(tiny_checkpoint, one_task, config(tmp_path, **CHANGED[name]))
    assert np.isfinite(row["loss"]) and row["grad_norm"] > 0


def test_every_field_of_trls_configurations_is_in_the_table_of_options():
    from dataclasses import fields

    from tests.paths import ROOT

    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    missing = {
        one.name
        for kind in (PixelGRPOConfig, PixelSFTConfig)
        for one in fields(kind)
        if one.init and not one.name.startswith("_") and f"`{one.name}`" not in page
    }
    assert not missing

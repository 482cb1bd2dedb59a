import pytest
import yaml
from trl import ModelConfig

from agents.config.recipes import FOLDER, shipped
from agents.config.training_parser import parsed
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.options import GRPO, TaskArguments
from agents.sft import PixelSFTConfig
from agents.sft.options import SFT
from agents.sft.training_traces import TraceArguments
from pixel_env.cli import main as command
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from rewards.shaping import group_reward_named
from synth.warm_starts.generator import LESSONS, TRACES, clumsy_warm_start


@pytest.mark.parametrize("name", shipped())
def test_every_recipe_that_ships_is_read_and_names_what_exists(name, tmp_path):
    fields = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    is_warm_start = "warm" in name or "sft" in name
    dataclasses = (TraceArguments, PixelSFTConfig) if is_warm_start else (TaskArguments, PixelGRPOConfig)
    flags = ["--config", name, "--output_dir", str(tmp_path), "--bf16", "false", "--use_cpu", "true"]
    _, args, _ = parsed((*dataclasses, ModelConfig), flags, SFT if is_warm_start else GRPO)
    assert dialect_named(args.dialect) and args.learning_rate == fields["learning_rate"]
    if "group_reward" in fields:
        assert group_reward_named(args.group_reward)


def test_a_batch_of_the_warm_starts_recipes_is_a_batch_of_the_mixture():
    traces = clumsy_warm_start(load_tasks("sample:vstar-tiny", split="train"), dialect_named("tiny"), 0)
    batch = traces[: TRACES + LESSONS]
    assert [trace.task.task_id == "lesson" for trace in batch] == [False] * TRACES + [True] * LESSONS
    for name in ("tiny_warm_clumsy", "tiny_warm_competent"):
        fields = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        assert fields["per_device_train_batch_size"] == TRACES + LESSONS
        assert fields["train_sampling_strategy"] == "sequential"


def test_an_unknown_recipe_and_an_unknown_field_are_named(tmp_path, capsys):
    assert command(["grpo", "--config", "tiny_grpo_papr"]) == 2
    assert "'tiny_grpo_paper'" in capsys.readouterr().err
    (tmp_path / "own.yaml").write_text("lerning_rate: 1\n", encoding="utf-8")
    assert command(["grpo", "--config", str(tmp_path / "own.yaml")]) == 2
    assert "lerning_rate" in capsys.readouterr().err


def test_a_run_without_a_model_says_which_flag_gives_one(capsys):
    assert command(["grpo"]) == 2
    assert "--model_name_or_path" in capsys.readouterr().err

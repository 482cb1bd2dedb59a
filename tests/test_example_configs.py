"""The recipes for many machines: all fields are read, batches are what the comments say, and the arithmetic holds."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
import yaml

pytest.importorskip("trl")
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import FullyShardedDataParallelPlugin
from accelerate.utils.launch import prepare_multi_gpu_env
from trl import ModelConfig, get_peft_config

from agents.config.arguments import parse
from agents.config.recipes import shipped
from agents.config.training_parser import parsed
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.options import GRPO, TaskArguments
from benchmarks.evaluation.config import EvalConfig
from pixel_env.cli import main as command
from pixel_env.dialects.table import dialect_named
from rewards.shaping import group_reward_named
from tests import paths
from tests.paths import EXAMPLES, ROOT

FOLDER = EXAMPLES / "configs"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
WRITTEN = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
MACHINES = [name for name, text in WRITTEN.items() if "compute_environment" in text]
EVALUATIONS = ["paper_table"]
WARM_STARTS = [name for name in WRITTEN if "_sft_" in name]  # tests/agents/sft/test_recipes.py
RECIPES = [name for name in WRITTEN if name not in (*MACHINES, *EVALUATIONS, *WARM_STARTS)]
ARITHMETIC = runpy.run_path(str(EXAMPLES / "memory_arithmetic.py"), run_name="example")
PLANS = {plan.recipe: plan for plan in ARITHMETIC["PLANS"]}
ON_A_CPU = ["--bf16", "false", "--use_cpu", "true"]


@pytest.fixture
def read(tmp_path):
    """A recipe as `pixel-env grpo` reads it, on a machine without a GPU: (tasks, training, model)."""

    def read(flags):
        flags = [*flags, *ON_A_CPU, "--output_dir", str(tmp_path)]
        return parsed((TaskArguments, PixelGRPOConfig, ModelConfig), flags, GRPO)

    return read


def commands_in(text):
    """The shell commands of a recipe's first comment, each as a list of words."""
    lines = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    return [shlex.split(line) for line in "\n".join(lines).replace("\\\n", " ").splitlines()]


def launch_of(name):
    """The words of a recipe's launch line: those for accelerate, and those for `pixel-env grpo`."""
    [words] = [words for words in commands_in(WRITTEN[name]) if words[:2] == ["accelerate", "launch"]]
    place = words.index("grpo")
    return words[2 : place - 2], words[place + 1 :]


def launched(flags):
    """What `accelerate launch` makes of its flags and the configuration that they name."""
    return _validate_launch_command(launch_command_parser().parse_args([*flags, "script.py"]))[0]


# ----------------------------------------------------------------------------------------------------- evaluations


@pytest.mark.parametrize("name", EVALUATIONS)
def test_a_recipe_of_an_evaluation_is_taken_by_the_command_with_its_own_first_line(name):
    [words] = commands_in(WRITTEN[name])
    assert words[:2] == ["pixel-env", "eval"] and words[3] == f"examples/configs/{name}.yaml"
    config = parse(["--config", str(FOLDER / f"{name}.yaml"), *words[4:]], EvalConfig, "eval")
    assert dialect_named(config.dialect).name == "released:vcot" and config.folder == Path("runs/paper/SET")
    assert not config.shuffle_options and config.max_tokens == 18_192


# --------------------------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize("name", RECIPES)
def test_every_field_of_a_recipe_is_read_and_names_what_exists(name, read):
    fields = yaml.safe_load(WRITTEN[name])
    _, args, model = read(["--config", str(FOLDER / f"{name}.yaml")])
    assert dialect_named(args.dialect).name == fields["dialect"] and group_reward_named(args.group_reward)
    assert model.model_name_or_path == fields["model_name_or_path"]
    assert (args.max_tokens, args.learning_rate) == (fields["max_tokens"], fields["learning_rate"])


@pytest.mark.parametrize("name", PLANS)
def test_the_launch_line_of_a_recipe_is_taken_by_accelerate_and_by_the_command(name, read, monkeypatch):
    monkeypatch.chdir(ROOT)
    machine, flags = launch_of(name)
    assert str(PLANS[name].processes) == machine[machine.index("--num_processes") + 1]
    machine = [{"RANK": "1", "FIRST_NODE": "10.0.0.1"}.get(word, word) for word in machine]
    assert launch_command_parser().parse_args([*machine, "script.py"]).num_processes == PLANS[name].processes
    if "--config_file" in machine:
        assert (ROOT / machine[machine.index("--config_file") + 1]).is_file()
    tasks, args, _ = read(flags)
    assert tasks.tasks == "rl-data" and args.max_tokens == PLANS[name].fields["max_tokens"]


@pytest.mark.parametrize("name", [name for name, plan in PLANS.items() if plan.servers])
def test_the_servers_of_a_recipe_are_started_with_flags_that_exist_and_hold_its_conversations(name, capsys):
    [words] = [words for words in commands_in(WRITTEN[name]) if words[:2] == ["pixel-env", "serve"]]
    with pytest.raises(SystemExit):
        command(["serve", "--help"])
    known = capsys.readouterr().out
    flags = [word for word in words if word.startswith("--")]
    assert "--replicas" in flags and all(flag in known for flag in flags)
    assert int(words[words.index("--max_model_len") + 1]) == PLANS[name].fields["max_tokens"]


# --------------------------------------------------------------------------------------------------------- batches


def questions_told(text):
    """The comment behind the accumulation: questions of a step, rollouts of each."""
    found = re.search(r"(?m)^gradient_accumulation_steps: \d+ # (\d+) questions of (\d+) rollouts a step", text)
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("name", PLANS)
def test_a_step_plays_as_many_whole_questions_as_its_comment_says(name, read):
    _, args, _ = read(["--config", str(FOLDER / f"{name}.yaml")])
    rows = args.per_device_train_batch_size * PLANS[name].processes
    step, generation = rows * args.gradient_accumulation_steps, rows * args.steps_per_generation
    assert ARITHMETIC["rollouts"](PLANS[name]) == (step, generation)
    assert questions_told(WRITTEN[name]) == (step // args.num_generations, args.num_generations)
    assert step % args.num_generations == generation % args.num_generations == generation % step == 0
    told = re.search(r"steps_per_generation: \d+ # (\d+) questions are played, then (\d+) steps", WRITTEN[name])
    if told:
        assert (int(told[1]), int(told[2])) == (generation // args.num_generations, generation // step)


@pytest.mark.parametrize(("name", "processes"), [("paper", 1), ("released_code", 32)])
def test_a_shipped_recipe_of_the_method_plays_as_many_questions_as_its_comment_says(name, processes, read):
    assert name in shipped()
    _, args, _ = read(["--config", name])
    step = args.per_device_train_batch_size * processes * args.gradient_accumulation_steps
    text = (paths.RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
    assert questions_told(text) == (step // 8, 8) and args.num_generations == 8


def test_the_method_has_the_papers_numbers_and_the_released_code_its_own(read):
    for name in ("paper", "released_code"):
        _, args, _ = read(["--config", name])
        assert (args.epsilon, args.epsilon_high, args.beta, args.scale_rewards) == (0.2, 0.35, 0.0, "none")
        assert (args.learning_rate, args.temperature, args.loss_type, args.num_iterations) == (1e-6, 1.0, "dr_grpo", 1)
        assert args.replay_capacity > 0
    # The code's constants are relative to a loss that is divided by 200.
    assert args.max_grad_norm * args.max_completion_length == pytest.approx(1.0 * 200)
    assert args.adam_epsilon * args.max_completion_length == pytest.approx(1e-8 * 200)
    assert args.steps_per_generation * 32 == 512 * 8 and args.gradient_accumulation_steps * 32 == 256


@pytest.mark.parametrize("name", [name for name in RECIPES if "replay_capacity" in WRITTEN[name]])
def test_what_replay_keeps_is_not_too_old_at_the_next_generation(name, read):
    _, args, _ = read(["--config", str(FOLDER / f"{name}.yaml")])
    assert args.replay_max_age >= args.steps_per_generation / args.gradient_accumulation_steps


# -------------------------------------------------------------------------------------------------------- machines


@pytest.mark.parametrize(("name", "stage"), [("zero2", 2), ("zero3", 3)])
def test_deepspeed_is_launched_in_its_stage_with_bfloat16(name, stage):
    arguments = launched(["--config_file", str(FOLDER / f"{name}.yaml")])
    assert (arguments.use_deepspeed, int(arguments.zero_stage), arguments.num_processes) == (True, stage, 8)
    assert arguments.mixed_precision == load_config_from_file(str(FOLDER / f"{name}.yaml")).mixed_precision == "bf16"
    assert stage == 2 or arguments.zero3_save_16bit_model  # else a saved model has no weights


def test_fsdp_is_launched_in_the_version_whose_weights_an_engine_can_be_given(monkeypatch):
    environment = prepare_multi_gpu_env(launched(["--config_file", str(FOLDER / "fsdp.yaml")]))
    for name, value in environment.items():
        if name.startswith("FSDP"):
            monkeypatch.setenv(name, value)
    plugin = FullyShardedDataParallelPlugin()
    assert (plugin.fsdp_version, plugin.reshard_after_forward) == (2, True)
    assert plugin.state_dict_type.name == "FULL_STATE_DICT" and not plugin.activation_checkpointing
    assert environment["ACCELERATE_MIXED_PRECISION"] == "bf16"


# ------------------------------------------------------------------------------------------------------ arithmetic


def meta_model(name):
    """The model without weights, its dimensions as on the hub."""
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
    )

    text = {"num_attention_heads": 28, "num_key_value_heads": 4, "hidden_size": 3584, "intermediate_size": 18944}
    text |= {"num_hidden_layers": 28, "vocab_size": 152064}
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584}
    kinds = Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    if name == "Qwen3-VL-8B":
        text = {"num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096, "intermediate_size": 12288}
        text |= {"num_hidden_layers": 36, "vocab_size": 151936, "head_dim": 128}
        vision = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "out_hidden_size": 4096}
        kinds = Qwen3VLConfig, Qwen3VLForConditionalGeneration
    with torch.device("meta"):
        return kinds[1](kinds[0](text_config=text, vision_config=vision, tie_word_embeddings=False))


@pytest.mark.parametrize("name", ["QWEN25_VL_7B", "QWEN3_VL_8B"])
def test_the_arithmetic_counts_the_parameters_that_transformers_makes_and_the_adapters_of_the_recipes(name, read):
    counted = ARITHMETIC[name]
    model = meta_model(counted.name)
    assert counted.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert counted.vision_parameters == sum(parameter.numel() for parameter in model.model.visual.parameters())
    recipe = next(plan.recipe for plan in PLANS.values() if plan.model is counted and plan.adapts)
    adapters = get_peft_config(read(["--config", str(FOLDER / f"{recipe}.yaml")])[2])
    adapted = [part for path, part in model.named_modules() if re.fullmatch(adapters.target_modules, path)]
    assert len(adapted) == 7 * counted.layers and adapters.lora_dropout == 0.0
    sizes = adapters.r * sum(part.in_features + part.out_features for part in adapted)
    assert sizes == counted.adapter_parameters(adapters.r)


@pytest.mark.parametrize("name", PLANS)
def test_by_the_arithmetic_a_recipe_fits_its_gpu_and_the_longest_episode_its_tokens(name):
    plan = PLANS[name]
    assert sum(ARITHMETIC["memory"](plan).values()) < 0.9 * plan.gpu.memory
    assert plan.servers or ARITHMETIC["generation_memory"](plan) < 0.9 * plan.gpu.memory
    assert max(ARITHMETIC["largest_episodes"](plan)) <= plan.fields["max_tokens"]
    assert ARITHMETIC["cache_tokens"](plan) >= plan.fields["max_tokens"]


@pytest.mark.parametrize("table", ["sharding_table", "memory_table", "episode_table", "time_table"])
def test_the_tables_of_the_page_are_what_the_script_prints(table):
    assert f"\n{ARITHMETIC[table]()}\n" in README, "run python examples/memory_arithmetic.py and put its tables there"


def test_every_recipe_for_a_large_model_is_planned_and_told_of():
    large = {name for name in RECIPES if name.startswith("qwen")}
    assert large == set(PLANS)
    assert all(f"`{name}.yaml`" in README for name in [*large, *MACHINES])

"""The warm start's recipes for large models: read, launched, of the batches that they tell of, and within memory."""

import runpy
import shlex

import pytest
import yaml
from accelerate.commands.launch import launch_command_parser
from trl import ModelConfig, get_peft_config

from agents.checkpoints.vision_tower import IN_A_TOWER, without_tower
from agents.config.training_parser import parsed
from agents.sft.config import PixelSFTConfig
from agents.sft.options import SFT
from agents.sft.training_traces import TraceArguments
from pixel_env.dialects.table import dialect_named
from tests.paths import EXAMPLES, RECIPES, ROOT

FOLDER = EXAMPLES / "configs"
PROCESSES = {"qwen2.5-vl-7b_sft_8_gpus": 8, "qwen2.5-vl-7b_sft_one_gpu_qlora": 1}
TRACES_OF_A_STEP = {"qwen2.5-vl-7b_sft_8_gpus": 128, "qwen2.5-vl-7b_sft_one_gpu_qlora": 64}
ARITHMETIC = runpy.run_path(str(EXAMPLES / "memory_arithmetic.py"), run_name="example")


@pytest.fixture
def read(tmp_path):
    """A recipe as `pixel-env sft` reads it, on a machine without a GPU: (traces, training, model)."""

    def read(flags):
        flags = [*flags, "--bf16", "false", "--use_cpu", "true", "--output_dir", str(tmp_path)]
        return parsed((TraceArguments, PixelSFTConfig, ModelConfig), flags, SFT)

    return read


def launch_of(text):
    """The words of a recipe's launch line: those for accelerate, and those for `pixel-env sft`."""
    lines = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    words = shlex.split(next(line for line in joined.splitlines() if line.startswith("accelerate launch")))
    place = words.index("sft")
    return words[2 : place - 2], words[place + 1 :]


def test_there_is_a_recipe_for_every_machine_that_is_told_of():
    assert {path.stem for path in FOLDER.glob("*_sft_*.yaml")} == set(PROCESSES)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.yaml`" in readme for name in PROCESSES)


@pytest.mark.parametrize("name", PROCESSES)
def test_the_launch_line_of_a_warm_start_is_taken_by_accelerate_and_by_the_command(name, read, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    machine, flags = launch_of(text)
    assert launch_command_parser().parse_args([*machine, "script.py"]).num_processes == PROCESSES[name]
    traces, args, model = read(flags)
    fields = yaml.safe_load(text)
    assert traces.traces == "runs/traces" and dialect_named(args.dialect).name == fields["dialect"]
    assert args.freeze_vision_tower and args.max_tokens == fields["max_tokens"] and model.model_name_or_path
    step = args.per_device_train_batch_size * args.gradient_accumulation_steps * PROCESSES[name]
    assert step == TRACES_OF_A_STEP[name]


def test_the_papers_warm_start_has_the_numbers_of_the_authors_script(read, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (RECIPES / "paper_sft.yaml").read_text(encoding="utf-8")
    machine, flags = launch_of(text)
    assert (ROOT / machine[machine.index("--config_file") + 1]).is_file() and flags[:2] == ["--config", "paper_sft"]
    _, args, model = read(flags)
    assert (args.learning_rate, args.num_train_epochs, args.warmup_steps, args.seed) == (1e-6, 5, 0.1, 49)
    assert (args.lr_scheduler_type.value, args.save_strategy.value) == ("cosine", "epoch")
    assert args.per_device_train_batch_size * args.gradient_accumulation_steps * 8 == 16
    assert args.freeze_vision_tower and args.gradient_checkpointing and model.dtype == "bfloat16"
    assert abs(246 / (7500 / 128) - 4) < 0.3 and abs(246 / (7500 / 16) - 0.5) < 0.05


def test_the_adapters_of_one_gpu_leave_the_tower_alone(read):
    _, _, model = read(["--config", str(FOLDER / "qwen2.5-vl-7b_sft_one_gpu_qlora.yaml")])
    adapters = without_tower(get_peft_config(model))
    assert adapters.exclude_modules == IN_A_TOWER and "language_model" in str(adapters.target_modules)


@pytest.mark.parametrize("name", PROCESSES)
def test_by_the_arithmetic_a_warm_start_fits_its_gpu(name):
    fields = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    model, tile, context = (ARITHMETIC[key] for key in ("QWEN25_VL_7B", "HEAD_TILE", "CONTEXT_BYTES"))
    tokens = fields["max_tokens"] * fields["per_device_train_batch_size"]
    kept = ARITHMETIC["activations"](model, tokens, patches=0)  # a frozen tower keeps nothing
    if PROCESSES[name] == 1:
        state, gpu = ARITHMETIC["adapted_state"](model, fields["lora_r"]), ARITHMETIC["RTX_4090"]
    else:
        state, gpu = ARITHMETIC["sharded_state"](model, "zero2", 8) + model.head * 8, ARITHMETIC["A100_80"]
    assert state + kept + tile + context < 0.9 * gpu.memory

"""Every chain of recipes of docs/training.md, walked by commands alone on models of a few parameters.

With full weights as the recipes have it, and with adapters. The sizes of a run are overridden, and what needs a GPU;
everything else is the recipes'.
"""

import pytest

from agents.checkpoints.adapters import CONFIG_NAME, adapter_of
from agents.checkpoints.conventions import convention_of
from agents.run_folder.configuration import read_configuration
from benchmarks.evaluation.result_files import METRICS
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from tests.agents.random_qwen import make_model, make_processor, make_qwen3_model, make_qwen3_processor
from tests.paths import EXAMPLES
from tests.test_recipe_dialects import FIELDS, chains

POSITIONS = 20_000
WORDS = (
    '<tool_call>\n{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.125, 0.25, 0.375, 0.5]}}\n</tool_call>',
    '{"type": "function", "function": {"name": "crop_image", "description": "Which digit is on the red card?"}}',
) * 4  # fmt: skip
SIZES = ["--max_steps", "1", "--save_strategy", "steps", "--save_steps", "1", "--save_only_model", "true"]
SIZES += ["--report_to", "none", "--disable_tqdm", "true", "--use_cpu", "true", "--bf16", "false"]
SIZES += ["--gradient_accumulation_steps", "1", "--per_device_train_batch_size", "2", "--seed", "3"]
WARM = [*SIZES, "--held_out", "0", "--dataloader_num_workers", "0", "--task_count", "8"]
ROLLOUTS = [
    *SIZES,
    "--num_generations",
    "2",
    "--steps_per_generation",
    "1",
    "--task_count",
    "1",
    "--max_turn_tokens",
    "4",
]
ROLLOUTS += ["--use_vllm", "false", "--vllm_mode", "colocate", "--vllm_enable_sleep_mode", "false"]
ROLLOUTS += ["--logging_steps", "1"]
LORA = ["--use_peft", "true", "--lora_r", "2", "--lora_target_modules", "q_proj", "v_proj", "--lora_dropout", "0.0"]
NOT_QUANTIZED = ["--load_in_4bit", "false"]


def of_recipe(name):
    """The value of `--config`, and the recipe's fields."""
    example = EXAMPLES / "configs" / f"{name}.yaml"
    return str(example if example.is_file() else name), FIELDS[name]


def walks():
    """(dialect of the traces, model, warm start or None, recipes after it, with adapters) of every chain."""
    walked = []
    for found, starts, afters in chains():
        for place, start in enumerate(starts):
            warm, traces = (start, found and found[1]) if start in FIELDS else (None, None)
            after = afters if place == 0 else afters[:1]
            kinds = (True,) if FIELDS.get(start, {}).get("use_peft") else (False, True)
            full = [name for name in after if not FIELDS[name].get("use_peft")]
            walked += [(traces, start, warm, after if adapts else full, adapts) for adapts in kinds]
    return walked


WALKS = [pytest.param(*walk, id=f"{walk[1]}-{'adapters' if walk[-1] else 'full'}") for walk in walks()]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Random models by the beginning of the dialects that their families speak."""
    made = {"tiny": "tiny-base"}
    small = {"vocabulary": 480, "patch": 14}
    for family, processor, model in (
        ("qwen2.5", make_processor(WORDS, **small), make_model),
        ("qwen3", make_qwen3_processor(WORDS, vocabulary=480), make_qwen3_model),
    ):
        folder = tmp_path_factory.mktemp(family)
        model(processor, positions=POSITIONS).save_pretrained(folder)
        processor.save_pretrained(folder)
        made[family] = str(folder)
    made["released"] = made["qwen2.5"]
    return made


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """`pixel-env synth` on embedded seed data, once a dialect."""
    made = {}

    def of(dialect):
        if dialect not in made:
            made[dialect] = tmp_path_factory.mktemp("made") / "traces"
            flags = ["--dialect", dialect, "--count", "4", "--media", "image=3", "text=1", "--workers", "1"]
            assert main(["synth", *flags, "--seed_count", "40", "--output_dir", str(made[dialect])]) == 0
        return ["--traces", str(made[dialect])]

    return of


def base_of(name, bases):
    """The model of a recipe or of the table: an embedded one as it is, else a random one of its family."""
    named = FIELDS[name].get("model_name_or_path", "") if name in FIELDS else name
    if named.startswith("tiny"):
        return named
    dialect = FIELDS[name]["dialect"] if name in FIELDS else "qwen3"
    return next(folder for family, folder in bases.items() if dialect.startswith(family))


def trained(command, name, model, folder, *flags):
    """The folder after `pixel-env COMMAND --config NAME`."""
    config, fields = of_recipe(name)
    own = NOT_QUANTIZED if "load_in_4bit" in fields else []
    words = ["--config", config, "--model_name_or_path", str(model), "--output_dir", str(folder), *flags, *own]
    assert main([command, *words]) == 0
    return folder


def check_chained(folder, name, adapts):
    """The folder says the dialect of its recipe, and holds an adapter where it should."""
    taught = convention_of(str(folder)).dialect
    assert dialect_named(taught) == dialect_named(FIELDS[name]["dialect"])
    for one in (folder, folder / "checkpoint-1"):
        assert (one / CONFIG_NAME).is_file() == adapts and (adapter_of(str(one)) is not None) == adapts


@pytest.mark.parametrize(("dialect", "start", "warm", "after", "adapts"), WALKS)
def test_a_chain_of_recipes_is_walked_by_commands_alone(
    dialect, start, warm, after, adapts, bases, traces, tmp_path, capsys
):
    base = model = base_of(start, bases)
    lora = LORA if adapts else []
    if warm is not None:
        made = traces(dialect) if dialect else []
        own = [] if FIELDS[warm].get("use_peft") else lora
        model, lora = trained("sft", warm, base, tmp_path / "warm", *WARM, *made, *own), []
        check_chained(model, warm, adapts)
    for name in after:
        own = [] if FIELDS[name].get("use_peft") else lora
        adapted = adapts or bool(FIELDS[name].get("use_peft"))
        tasks = [] if "tasks" in FIELDS[name] else ["--tasks", "sample:vstar-tiny"]
        tasks += ["--eval_task_count", "1"] if "eval_tasks" in FIELDS[name] else []
        capsys.readouterr()
        run = trained("grpo", name, model, tmp_path / name, *ROLLOUTS, *tasks, *own)
        check_chained(run, name, adapted)
        said = capsys.readouterr().err
        assert (f"Training goes on with the adapter {model}" in said) == (adapts and warm is not None)
        evaluated = tmp_path / f"{name}-eval"
        flags = ["--tasks", "sample:vstar-tiny", "--limit", "1", "--policies", "learned_zoom", "--max_turn_tokens", "4"]
        assert main(["eval", "--model", str(run), *flags, "--output_dir", str(evaluated)]) == 0
        assert dialect_named(read_configuration(evaluated)["dialect"]) == dialect_named(FIELDS[name]["dialect"])
        assert (evaluated / METRICS).is_file()
        assert main(["report", str(run)]) == 0 and (run / "report.html").is_file()

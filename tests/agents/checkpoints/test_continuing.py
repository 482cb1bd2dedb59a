"""A training that starts from an adapter goes on with it, or with the merged model; what disagrees is refused."""

import shutil

import peft
import pytest
import torch
from safetensors.torch import load_file
from trl import ModelConfig

from agents.checkpoints.adapters import WEIGHTS_NAME, adapter_of
from agents.checkpoints.conventions import Convention, convention_in, write_convention
from agents.checkpoints.merging import load_whole_model
from agents.checkpoints.model_arguments import ModelArguments, model_and_adapter, settled
from agents.grpo.policy_weights import policy_weights
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.run_folder.configuration import read_configuration
from pixel_env.cli import main
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks
from tests.agents.checkpoints.adapter_folders import adapted, save, with_processor

CPU = ["--use_cpu", "true", "--gradient_checkpointing", "false", "--disable_tqdm", "true", "--max_steps", "1"]
CPU += ["--save_strategy", "no", "--report_to", "none", "--logging_steps", "1", "--learning_rate", "1e-2"]
WARM = [
    "--config",
    "tiny_warm_clumsy",
    "--per_device_train_batch_size",
    "4",
    "--held_out",
    "0",
    "--task_count",
    "4",
    *CPU,
]
WARM += ["--warmup_steps", "0"]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter of tiny-base with dropout, a processor and a prompt of its own."""
    folder = with_processor(save(adapted(), tmp_path_factory.mktemp("start") / "adapter", base="tiny-base"))
    write_convention(folder, Convention("tiny", prompt=" Say it."))
    return folder


def trainer_of(adapter, folder, **options):
    args = PixelGRPOConfig(
        str(folder), dialect="tiny", max_turns=2, max_turn_tokens=4, max_completion_length=8, num_generations=2,
        per_device_train_batch_size=4, max_steps=1, gradient_checkpointing=False, disable_tqdm=True, use_cpu=True,
        report_to="none", save_strategy="no", beta=options.pop("beta", 0.0),
    )  # fmt: skip
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    return PixelGRPOTrainer(str(adapter), tasks, args, **options)


def weights_in(folder):
    return load_file(folder / WEIGHTS_NAME)


def test_in_python_the_name_of_an_adapter_is_its_model_with_only_the_adapter_trained(adapter, tmp_path, capsys):
    trainer = trainer_of(adapter, tmp_path)
    assert f"goes on with the adapter {adapter} (rank 2)" in capsys.readouterr().err
    trained = {name for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    assert trained and all("lora_" in name for name in trained)
    merged = dict(load_whole_model(str(adapter), "float32").named_parameters())
    for name, weight in policy_weights(trainer.model):
        torch.testing.assert_close(weight, merged[name], atol=1e-6, rtol=0)
    trainer.create_model_card()
    assert "Trained from the adapter `adapter` on `tiny-base`" in (tmp_path / "README.md").read_text()


def test_with_a_kl_term_the_reference_is_the_adapter_as_it_was(adapter, tmp_path):
    trainer = trainer_of(adapter, tmp_path, beta=0.1)
    weights = dict(trainer.model.named_parameters())
    reference = {name for name in weights if ".ref." in name}
    assert reference and not any(weights[name].requires_grad for name in reference)
    assert all(torch.equal(weights[name], weights[name.replace(".ref.", ".default.")]) for name in reference)


def test_a_run_with_a_reference_goes_on_from_the_adapter_that_it_had_trained(adapter, tmp_path):
    trainer = trainer_of(adapter, tmp_path / "run", beta=0.1)
    with torch.no_grad():
        for name, weight in trainer.model.named_parameters():
            if ".default." in name:
                weight.add_(1.0)
    trainer.save_model(str(tmp_path / "checkpoint"))
    again = trainer_of(adapter, tmp_path / "again", beta=0.1)
    again._load_from_checkpoint(str(tmp_path / "checkpoint"))
    saved, loaded = dict(trainer.model.named_parameters()), dict(again.model.named_parameters())
    adapters = [name for name in saved if "lora_" in name]
    assert len(adapters) == 32 and all(torch.equal(saved[name], loaded[name]) for name in adapters)
    assert all(loaded[name].requires_grad == (".default." in name) for name in adapters)


def test_in_python_a_configuration_of_another_adapter_is_refused_and_one_of_the_same_takes_its_dropout(
    adapter, tmp_path
):
    same = {"r": 2, "lora_alpha": 4, "target_modules": ["v_proj", "q_proj"], "lora_dropout": 0.0}
    trainer = trainer_of(adapter, tmp_path, peft_config=peft.LoraConfig(**same))
    assert trainer.model.peft_config["default"].lora_dropout == 0.0
    with pytest.raises(ConfigError, match=f"r is 8, but training goes on with the adapter {adapter}"):
        trainer_of(adapter, tmp_path, peft_config=peft.LoraConfig(**{**same, "r": 8}))


def test_a_warm_start_and_reinforcement_learning_go_on_with_the_adapter_and_what_it_knows(adapter, tmp_path):
    words = ["--model_name_or_path", str(adapter), "--lora_dropout", "0.0", "--output_dir", str(tmp_path / "warm")]
    assert main(["sft", *WARM, *words]) == 0
    before, after = weights_in(adapter), weights_in(tmp_path / "warm")
    assert before.keys() == after.keys() and any(not torch.equal(before[name], after[name]) for name in before)
    kept = read_configuration(tmp_path / "warm")
    assert (kept["use_peft"], kept["lora_r"], kept["lora_alpha"], kept["lora_dropout"]) == (True, 2, 4, 0.0)
    assert adapter_of(str(tmp_path / "warm")).base == adapter_of(str(adapter)).base
    assert convention_in(tmp_path / "warm").prompt == " Say it."
    assert "Trained from the adapter `adapter` on `tiny-base`" in (tmp_path / "warm" / "README.md").read_text()


def test_without_adapters_the_merged_model_is_trained_as_a_whole(adapter, tmp_path, capsys):
    start = shutil.copytree(adapter, tmp_path / "adapter")
    words = ["--model_name_or_path", str(start), "--use_peft", "false", "--output_dir", str(tmp_path / "warm")]
    assert main(["sft", *WARM, *words]) == 0
    assert "merging both into" in capsys.readouterr().err and adapter_of(str(tmp_path / "warm")) is None
    trained, merged = (
        dict(load_whole_model(str(one), "float32").named_parameters()) for one in (tmp_path / "warm", start)
    )
    moved = [name for name in merged if not torch.equal(trained[name], merged[name])]
    assert len(moved) > 50 and max(float((trained[n] - merged[n]).abs().max()) for n in moved) < 0.05
    assert convention_in(tmp_path / "warm").prompt == " Say it."


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--lora_r", "16"], "lora_r is 16"),
        (["--lora_alpha", "32"], "lora_alpha is 32"),
        (["--lora_target_modules", "q_proj"], "lora_target_modules is"),
        (["--lora_modules_to_save", "merger"], "lora_modules_to_save is"),
        (["--use_dora", "true"], "use_dora is True"),
        (["--use_peft", "true", "--use_rslora"], "use_rslora is True"),
    ],
)
def test_a_flag_that_says_otherwise_than_the_adapter_is_refused_with_the_ways_out(
    adapter, tmp_path, flags, told, capsys
):
    words = ["--model_name_or_path", str(adapter), "--output_dir", str(tmp_path / "run"), *flags]
    assert main(["sft", *WARM, *words]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"{told}" in message and f"the adapter {adapter}, whose value is" in message
    assert f"pixel-env merge {adapter} --output_dir FOLDER" in message and not (tmp_path / "run").exists()


def test_flags_that_are_left_out_are_the_adapters_and_else_trls(adapter):
    own = settled(ModelArguments(model_name_or_path=str(adapter), lora_target_modules=["q_proj", "v_proj"]))
    assert (own.use_peft, own.lora_r, own.lora_alpha, own.lora_dropout) == (True, 2, 4, 0.5)
    name, config = model_and_adapter(own)
    assert name == str(adapter) and config.target_modules == {"q_proj", "v_proj"}
    assert settled(ModelArguments(model_name_or_path=str(adapter), lora_target_modules=["all-linear"])).use_peft
    other, defaults = settled(ModelArguments(model_name_or_path="tiny-base")), ModelConfig()
    for field in ("use_peft", "lora_r", "lora_alpha", "lora_dropout"):
        assert getattr(other, field) == getattr(defaults, field)
    assert model_and_adapter(other) == ("tiny-base", None)


def test_an_adapter_that_is_no_lora_is_to_be_merged_before_it_is_trained_on(tmp_path):
    base = load_whole_model("tiny-base", "float32")
    save(peft.get_peft_model(base, peft.IA3Config(target_modules=["k_proj"], feedforward_modules=[])), tmp_path / "ia3")
    with pytest.raises(ConfigError, match="kind IA3; training goes on with LoRA alone"):
        settled(ModelArguments(model_name_or_path=str(tmp_path / "ia3")))

"""`pixel-env sft` as it is run: adapters, folders with budgets of their own, refused traces, resuming."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.sft import trainer as sft_trainer
from agents.sft import training as sft_training
from agents.sft.collator import IGNORED
from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.folder import write_trace_folder
from agents.traces.trace import TraceTurn
from pixel_env.cli import main as command
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import recrop_once, single_pass

TINY = dialect_named("tiny")
SMALL = view_budgets(*[(32 * 32, 64 * 64)] * 4, factor=16)
LARGE = view_budgets(*[(32 * 32, 96 * 96)] * 4, factor=16)


def traces_of(tasks, template=recrop_once):
    return [template(task, TINY, np.random.default_rng(0)) for task in tasks.tasks]


def too_long(trace):
    return replace(trace, turns=(*trace.turns[:-1], TraceTurn("which " * 3000 + trace.turns[-1].text)))


MADE = []


class Kept(PixelSFTTrainer):
    """Remembered, with what it did."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.steps = 0
        MADE.append(self)

    def training_step(self, *args, **options):
        self.steps += 1
        return super().training_step(*args, **options)


@pytest.fixture(scope="module")
def run(tiny_checkpoint, tmp_path_factory):
    """A run with LoRA on one folder, held out on another that shares a task, and the same run cut and resumed."""
    home = tmp_path_factory.mktemp("sft-command")
    train, test = (load_tasks("sample:vstar-tiny", split=split, count=6) for split in ("train", "test"))
    learned, others = traces_of(train), traces_of(test)
    write_trace_folder(home / "train", [*learned[:5], too_long(learned[5])], replace(train, budgets=SMALL), None)
    held_out = [learned[0], *others[:3], too_long(others[3]), too_long(others[4])]
    write_trace_folder(home / "other", held_out, replace(test, budgets=LARGE), None)
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--dialect", "tiny", "--output_dir", str(home / "run")]
    flags += ["--traces", str(home / "train"), "--held_out_traces", str(home / "other"), "--max_steps", "3"]
    flags += ["--save_strategy", "steps", "--save_steps", "2", "--attn_implementation", "eager", "--use_peft", "true"]
    flags += ["--lora_r", "2", "--lora_target_modules", "q_proj", "v_proj", "--logging_steps", "1", "--use_cpu", "true"]
    flags += ["--per_device_train_batch_size", "2", "--gradient_checkpointing", "false", "--disable_tqdm", "true"]
    settings = []

    def watched(traces, engine, chat, given, **options):
        settings.append(given)
        return play_held_out(traces, engine, chat, given, **options)

    play_held_out = sft_trainer.play_held_out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sft_training, "PixelSFTTrainer", Kept)
        patch.setattr(sft_trainer, "play_held_out", watched)
        assert command(["sft", *flags]) == 0
        shutil.rmtree(home / "run" / "checkpoint-3")
        (home / "run" / "finished.json").unlink()
        assert command(["sft", *flags, "--resume_from_checkpoint", "last"]) == 0
    return home / "run", *MADE, settings


def test_flags_about_the_model_reach_it_and_adapters_are_what_is_saved(run):
    folder, trainer = run[:2]
    assert (folder / "adapter_model.safetensors").exists() and not (folder / "model.safetensors").exists()
    assert trainer.model.config.get_text_config()._attn_implementation == "eager"


def test_traces_are_played_with_the_budgets_of_their_own_folder_while_training_and_after_it(run):
    _, trainer, _, settings = run
    assert (trainer.settings.budgets, trainer.eval_settings.budgets) == (SMALL, LARGE)
    assert [one.budgets for one in settings] == [LARGE, LARGE]
    [trained], [held_out] = (
        collator.batch([collator.traces[0]])["image_grid_thw"][:1].tolist()
        for collator in (trainer.data_collator, trainer._eval_collator)
    )
    assert np.prod(held_out) > np.prod(trained)


def test_the_summary_and_a_file_for_each_set_tell_of_refused_traces_which_are_not_played(run):
    folder = run[0]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert (summary["refused_traces"], summary["refused_held_out_traces"]) == ({"too_long": 1}, {"too_long": 2})
    assert (summary["steps"], summary["failed_episodes"], summary["accuracy_after"]["n"]) == (3, 0, 3)
    files = ("refused_traces.jsonl", "refused_held_out_traces.jsonl")
    rows = [(folder / name).read_text(encoding="utf-8").splitlines() for name in files]
    assert list(map(len, rows)) == [1, 2] and "/train/" in rows[0][0] and "/test/" in rows[1][0]


def test_the_card_gives_the_epochs_that_were_reached_and_not_the_default_that_max_steps_replaced(run):
    folder, trainer = run[:2]
    assert trainer.args.num_train_epochs == 3.0 and trainer.state.epoch == 1.0
    assert "| epochs | 1.0 |" in (folder / "README.md").read_text(encoding="utf-8")
    trainer.state.epoch = 2 / 3
    assert trainer.card_facts().settings["epochs"] == 0.67


def test_a_run_that_was_cut_goes_on_from_its_last_checkpoint_to_the_same_losses(run):
    _, whole, resumed, _ = run
    losses = [[row["loss"] for row in one.state.log_history if "loss" in row] for one in (whole, resumed)]
    assert (whole.steps, resumed.steps) == (3, 1) and losses[0] == losses[1] and len(losses[0]) == 3


def test_the_held_out_loss_is_the_mean_cross_entropy_of_the_held_out_trained_tokens(run):
    trainer = run[1]
    found = trainer.evaluate()["eval_loss"]
    batch = trainer._eval_collator.batch(
        [trainer._eval_collator.traces[place] for place in trainer.eval_survey.indices]
    )
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = trainer.model(**batch).logits
    wanted = torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )
    assert found == pytest.approx(float(wanted), rel=1e-4)


def test_a_later_run_without_refused_traces_leaves_none_of_the_earlier_ones_files(tiny_checkpoint, tmp_path):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=4)
    good = traces_of(tasks, single_pass)
    options = {"dialect": "tiny", "use_cpu": True, "report_to": [], "disable_tqdm": True}
    args = PixelSFTConfig(output_dir=str(tmp_path), **options)

    def files(train, held_out):
        PixelSFTTrainer(str(tiny_checkpoint), train, args, eval_traces=held_out, task_set=tasks)
        return {path.name: len(path.read_text().splitlines()) for path in tmp_path.glob("refused*")}

    bad = [too_long(trace) for trace in good]
    both = {"refused_traces.jsonl": 3, "refused_held_out_traces.jsonl": 1}
    assert files([good[0], *bad[:3]], [good[3], bad[3]]) == both
    assert files(good[:2], [good[3], bad[3]]) == {"refused_held_out_traces.jsonl": 1}
    assert files(good[:2], None) == {}

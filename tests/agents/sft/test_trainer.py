import json
import pickle
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoProcessor

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.sft.collator import TraceCollator, UnusableTrace
from agents.sft.command import main
from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.folder import write_trace_folder
from agents.traces.trace import Trace, TraceTurn, read_traces, write_traces
from pixel_env.cli import main as command
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Limits
from synth.warm_starts.templates import MixedTraces, clumsy, drawn_from, recrop_once, single_pass

TINY = dialect_named("tiny")


def config(folder, **options):
    defaults = {"dialect": "tiny", "max_turns": 3, "max_steps": 2, "per_device_train_batch_size": 4, "logging_steps": 1}
    defaults |= {"gradient_checkpointing": False, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    return PixelSFTConfig(output_dir=str(folder), **(defaults | options))


def test_the_loss_is_the_mean_cross_entropy_of_the_trained_tokens(tiny_checkpoint, tasks, tmp_path):
    traces = [recrop_once(task, TINY, np.random.default_rng(0)) for task in tasks.tasks]
    trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, config(tmp_path), task_set=tasks)
    batch = trainer.data_collator.batch(traces[:4])
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = trainer.model(**batch).logits
        ours = trainer.compute_loss(trainer.model, {**batch, "labels": labels})
    wanted = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
    assert float(ours) == pytest.approx(float(wanted), abs=1e-5)


def test_accumulated_gradients_are_those_of_the_step_s_tokens_whatever_batch_they_came_in(
    tiny_checkpoint, tasks, tmp_path
):
    short = [Trace(task, (TraceTurn("<answer>7"),)) for task in tasks.tasks[4:]]
    traces = [*recrops(tasks)[:4], *short]  # batches of many and of few trained tokens

    def step(rows, accumulated):
        args = config(
            tmp_path, max_steps=1, per_device_train_batch_size=rows, gradient_accumulation_steps=accumulated,
            train_sampling_strategy="sequential",
        )  # fmt: skip
        trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, args, task_set=tasks)
        trainer.train()
        row = next(row for row in trainer.state.log_history if "loss" in row)
        return row["loss"], row["grad_norm"]

    assert step(4, 2) == pytest.approx(step(8, 1), rel=1e-5)


def test_a_generator_of_traces_is_learned_from_and_the_loss_falls(tiny_checkpoint, tasks, tmp_path):
    traces = MixedTraces(((4, drawn_from(tasks, clumsy, TINY)),), batches=8, seed=0)
    options = {"max_steps": 8, "learning_rate": 2e-3, "lr_scheduler_type": "constant"}
    trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, config(tmp_path, **options), task_set=tasks)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert len(losses) == 8 and losses[-1] < 0.8 * losses[0]


def test_the_command_trains_on_a_file_of_traces_and_keeps_model_and_configuration(tiny_checkpoint, tasks, tmp_path):
    write_traces([recrop_once(task, TINY, np.random.default_rng(0)) for task in tasks.tasks], tmp_path / "traces.jsonl")
    recipe = tmp_path / "warm.yaml"
    recipe.write_text(
        f"model_name_or_path: {tiny_checkpoint}\ntasks: sample:vstar-tiny\ntask_count: 8\n"
        f"traces: {tmp_path / 'traces.jsonl'}\noutput_dir: {tmp_path / 'run'}\ndialect: tiny\nmax_steps: 1\n"
        "per_device_train_batch_size: 2\ngradient_checkpointing: false\nuse_cpu: true\n",
        encoding="utf-8",
    )
    assert main(["--config", str(recipe), "--learning_rate", "0.0007"]) == 0
    kept = json.loads((tmp_path / "run" / "configuration.json").read_text(encoding="utf-8"))
    assert (kept["learning_rate"], kept["dialect"], kept["max_turns"]) == (0.0007, "tiny", 4)
    assert (tmp_path / "run" / "model.safetensors").exists()
    assert (tmp_path / "run" / "preprocessor_config.json").exists() or (
        tmp_path / "run" / "processor_config.json"
    ).exists()


def test_resuming_with_another_configuration_is_refused_by_the_name_of_the_field(tiny_checkpoint, tmp_path, capsys):
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--output_dir", str(tmp_path / "run"), "--dialect", "tiny"]
    flags += [
        "--task_count",
        "4",
        "--max_steps",
        "1",
        "--per_device_train_batch_size",
        "2",
        "--use_cpu",
        "true",
        "--held_out",
        "0",
    ]
    flags += ["--traces", "synth.warm_starts.templates:single_pass_traces", "--tasks", "sample:vstar-tiny"]
    assert command(["sft", *flags]) == 0
    assert command(["sft", *flags, "--learning_rate", "1", "--resume_from_checkpoint", "last"]) == 2
    assert "learning_rate (was 2e-05, is 1.0)" in capsys.readouterr().err


def test_traces_survive_a_line_separator_inside_a_text(tmp_path):
    task = tiny_task()
    trace = Trace(task, (TraceTurn("one\u2028line"),))
    write_traces([trace], tmp_path / "traces.jsonl")
    assert read_traces(tmp_path / "traces.jsonl", TaskSet("own", [task])) == [trace]


def test_episodes_of_training_are_shown_in_multiples_of_the_dialect_s_factor(tmp_path):
    sample = load_tasks("sample:vstar", count=2)
    settings = config(tmp_path).settings(dialect_named("qwen3-vl"), sample)
    assert settings.budgets.original.factor == 32
    assert settings.budgets.original.max_pixels == sample.budgets.original.max_pixels


# ---------------------------------------------------------------------------------------------- what is learned from


def recrops(tasks):
    return [recrop_once(task, TINY, np.random.default_rng(0)) for task in tasks.tasks]


def with_a_long_answer(trace, words=3000):
    return replace(trace, turns=(*trace.turns[:-1], TraceTurn("which " * words + trace.turns[-1].text)))


@pytest.mark.parametrize("option", [{}, {"max_tokens": 300}, {"max_length": 300}])
def test_traces_that_do_not_fit_are_left_out_by_name_and_the_rest_is_trained(
    tiny_checkpoint, tasks, tmp_path, capsys, option
):
    good = recrops(tasks)
    words = 3000 if not option else 200  # beyond what the model reads, or what is allowed
    trainer = PixelSFTTrainer(
        str(tiny_checkpoint), [*good, with_a_long_answer(good[0], words)], config(tmp_path, **option), task_set=tasks
    )
    told = capsys.readouterr().out
    assert trainer.survey.refused == {"too_long": 1} and len(trainer.train_dataset) == 8
    assert f"1 of 9 traces cannot be trained on and are left out:\n  too_long: 1 ({good[0].task.task_id})" in told
    assert ("2048 are allowed" if not option else "300 are allowed") in told
    assert json.loads((tmp_path / "refused_traces.jsonl").read_text(encoding="utf-8"))["place"] == 8
    assert trainer.train().training_loss > 0


def test_a_run_without_any_trace_that_fits_does_not_start(tiny_checkpoint, tasks, tmp_path):
    with pytest.raises(ConfigError, match=r"No train trace can be used\. 8 of 8 traces"):
        PixelSFTTrainer(str(tiny_checkpoint), recrops(tasks), config(tmp_path, max_tokens=50), task_set=tasks)
    with pytest.raises(ConfigError, match="There are no traces"):
        PixelSFTTrainer(str(tiny_checkpoint), [], config(tmp_path), task_set=tasks)


def test_taken_in_sequence_a_trace_that_does_not_fit_stops_the_run_by_name_when_its_turn_comes(
    tiny_checkpoint, tasks, tmp_path
):
    traces = [*recrops(tasks)[:4], with_a_long_answer(recrops(tasks)[4])]
    args = config(tmp_path, train_sampling_strategy="sequential")
    trainer = PixelSFTTrainer(str(tiny_checkpoint), traces, args, task_set=tasks)
    with pytest.raises(UnusableTrace, match=f"{traces[4].task.task_id}.*2048 are allowed"):
        trainer.train()


def test_the_command_reads_a_folder_of_traces_and_tells_what_the_model_does_on_held_out_ones(
    tiny_checkpoint, tmp_path, capsys
):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=24)
    write_trace_folder(tmp_path / "data", recrops(tasks), tasks, None)
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--traces", str(tmp_path / "data"), "--dialect", "tiny"]
    flags += ["--output_dir", str(tmp_path / "run"), "--max_steps", "1", "--per_device_train_batch_size", "4"]
    assert command(["sft", *flags, "--use_cpu", "true", "--gradient_checkpointing", "false"]) == 0
    assert "correct operation after a mistake" in capsys.readouterr().out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["steps"] == 1 and summary["accuracy_after"]["n"] == 2 == summary["recovered_looks"]["n"]


def test_a_folder_made_in_another_dialect_is_refused_with_the_flag_that_names_it(
    tiny_checkpoint, tasks, tmp_path, capsys
):
    write_trace_folder(tmp_path / "data", recrops(tasks), tasks, None)
    (tmp_path / "data" / "configuration.json").write_text('{"dialect": "tiny"}', encoding="utf-8")
    flags = ["--model_name_or_path", str(tiny_checkpoint), "--traces", str(tmp_path / "data"), "--use_cpu", "true"]
    assert command(["sft", *flags, "--output_dir", str(tmp_path / "run"), "--dialect", "released:vcot"]) == 2
    assert "made with the dialect 'tiny'" in (told := capsys.readouterr().err) and "--dialect tiny" in told


# --------------------------------------------------------------------------------------------------- order and workers


def batches_of(trainer):
    return list(trainer.get_train_dataloader())


def mixed(tasks):
    """Traces of two lengths, in turn."""
    templates = (single_pass, recrop_once)
    return [templates[i % 2](task, TINY, np.random.default_rng(i)) for i, task in enumerate(tasks.tasks)]


@pytest.mark.parametrize("strategy", ["group_by_length", "batch_rebalance", "random", "sequential"])
def test_every_order_of_trl_trains_and_grouping_pads_least(tiny_checkpoint, tasks, tmp_path, strategy):
    args = config(tmp_path, train_sampling_strategy=strategy, gradient_accumulation_steps=2)
    trainer = PixelSFTTrainer(str(tiny_checkpoint), mixed(tasks), args, task_set=tasks)
    assert trainer.train().training_loss > 0
    padding = sum(int((batch["attention_mask"] == 0).sum()) for batch in batches_of(trainer))
    if strategy in ("group_by_length", "batch_rebalance"):
        assert padding < 40  # a few tokens of a question or an answer
    if strategy == "sequential":
        assert padding > 8 * 30  # a picture for every second row


def test_rows_of_all_processes_that_are_computed_at_the_same_time_are_of_similar_length(
    tiny_checkpoint, tasks, tmp_path
):
    args = config(tmp_path, per_device_train_batch_size=1)
    trainer = PixelSFTTrainer(str(tiny_checkpoint), mixed(tasks), args, task_set=tasks)

    def spread(processes):
        """The largest difference of length within four rows that follow one another."""
        trainer.accelerator = SimpleNamespace(num_processes=processes)
        order = [trainer.survey.tokens[place] for place in trainer._get_train_sampler()]
        return max(max(order[i : i + 4]) - min(order[i : i + 4]) for i in (0, 4))

    assert spread(4) < 8 and spread(1) > 30


def test_a_run_cut_within_its_second_epoch_and_resumed_learns_what_the_uncut_run_learns(
    tiny_checkpoint, tasks, tmp_path
):
    def losses(folder, resume=None, **options):
        args = config(folder, per_device_train_batch_size=2, learning_rate=1e-3, **options)
        trainer = PixelSFTTrainer(str(tiny_checkpoint), mixed(tasks), args, task_set=tasks)
        trainer.train(resume_from_checkpoint=resume)
        return [row["loss"] for row in trainer.state.log_history if "loss" in row]

    uncut = losses(tmp_path / "uncut", max_steps=7)
    saved = {"save_strategy": "steps", "save_steps": 5}
    cut = losses(tmp_path / "cut", max_steps=7, **saved)
    resumed = losses(tmp_path / "cut", str(tmp_path / "cut" / "checkpoint-5"), max_steps=7, **saved)
    assert cut == uncut == resumed and len(set(uncut)) == 7


def test_worker_processes_make_the_batches_that_the_trainer_would(tiny_checkpoint, tasks, tmp_path):
    def made(workers):
        args = config(tmp_path, per_device_train_batch_size=2, dataloader_num_workers=workers)
        return batches_of(PixelSFTTrainer(str(tiny_checkpoint), mixed(tasks), args, task_set=tasks))

    alone, helped = made(0), made(2)
    assert len(alone) == len(helped) == 4
    for one, other in zip(alone, helped, strict=True):
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@dataclass(frozen=True)
class CountedSource(PixelSource):
    """Tells how often it was decoded."""

    def decode(self):
        DECODED.append(self.key)
        return super().decode()


DECODED = []


def test_a_collator_travels_to_a_worker_and_decodes_a_picture_of_several_traces_once(tiny_checkpoint):
    source = CountedSource(640, 480, shade=9)
    task = tiny_task(sources=(source,))
    traces = [single_pass(task, TINY, np.random.default_rng(0)), recrop_once(task, TINY, np.random.default_rng(0))] * 2
    chat = Chat(AutoProcessor.from_pretrained(tiny_checkpoint), TINY)
    collator = TraceCollator(chat, EpisodeSettings(TINY, Limits(max_turns=3), TINY.budgets), traces)
    sent = pickle.loads(pickle.dumps(collator))
    rows = [{"trace": place} for place in range(4)]
    batch = sent(rows)
    assert [source.key] == DECODED
    assert all(torch.equal(batch[name], values) for name, values in collator(rows).items())
    assert [source.key] == DECODED

import pytest
from huggingface_hub import ModelCard
from peft import LoraConfig

from agents.engines.scripted import in_turn
from agents.grpo.trainer import PixelGRPOTrainer
from agents.run_log.log import LOG, read_log
from agents.run_log.rollouts import ROLLOUTS
from pixel_env.store import read, trajectory_of
from pixel_env.tasks import load_tasks
from tests.agents.grpo.test_trainer import GROUP, by_place, config, playing

UNLIKE = ("time", "memory", "runtime", "per_second", "step_time")
"""Of metrics that no two runs share."""


def rows_of(folder):
    return [
        (row.step, row.kind, {k: v for k, v in row.metrics.items() if not any(one in k for one in UNLIKE)})
        for row in read_log(folder)[0]
    ]


def letters(completions, **_):
    return [sum(letter in "aeiou" for letter in messages[0]["content"]) / 10 for messages in completions]


@pytest.fixture(scope="module")
def trained(tiny_checkpoint, tmp_path_factory, tasks_of_the_module):
    """A run of four steps, the same cut after three and resumed at two, and what the whole one printed."""
    tasks, held_out = tasks_of_the_module

    def run(folder, steps, resume=None):
        options = {"max_steps": steps, "save_strategy": "steps", "save_steps": 2, "lr_scheduler_type": "constant"}
        options |= {"eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": GROUP}
        options |= {"log_rollouts_steps": 2, "log_rollouts_groups": 1, "replay_capacity": 8}
        trainer = PixelGRPOTrainer(
            str(tiny_checkpoint), tasks, config(folder, **options), reward_funcs=letters, eval_tasks=held_out
        )
        trainer.train(resume_from_checkpoint=resume)

    whole, cut = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("cut")
    run(whole, 4)
    run(cut, 3)
    run(cut, 4, resume=str(cut / "checkpoint-2"))
    return whole, cut


@pytest.fixture(scope="module")
def tasks_of_the_module():
    return load_tasks("sample:vstar-tiny", split="train", count=8), load_tasks(
        "sample:vstar-tiny", split="test", count=1
    )


def test_every_step_is_logged_once_also_in_a_run_that_was_cut_and_resumed(trained):
    whole, cut = trained
    steps = [(step, kind) for step, kind, _ in rows_of(whole)]
    assert steps == [(1, "train"), (2, "train"), (2, "eval"), (3, "train"), (4, "train"), (4, "eval"), (4, "end")]
    assert rows_of(cut)[:-1] == rows_of(whole)[:-1]


def test_the_seconds_of_a_step_are_divided_into_its_parts(trained):
    rows = [row for row in read_log(trained[0])[0] if row.kind == "train"]
    for row in rows:
        parts = {
            name: row.metrics[f"time/{name}"]
            for name in ("generation", "operations", "scoring", "weights", "update", "data")
        }
        assert sum(parts.values()) == pytest.approx(row.metrics["time/step"]) and min(parts.values()) >= 0
        assert parts["generation"] > parts["weights"] and row.metrics["memory/resident_gb"] > 0


def test_rollouts_are_kept_every_few_steps_also_in_a_run_that_was_cut_and_resumed(trained):
    whole, cut = ([{**row, "version": 1} for row in read(folder / ROLLOUTS)] for folder in trained)
    kept = {(row["kind"], row["step"]) for row in whole}
    assert kept == {("train", 1), ("train", 2), ("eval", 2), ("train", 4), ("eval", 4)}
    assert cut == whole


def test_a_kept_rollout_is_the_whole_trajectory_with_its_rewards_and_its_tokens(trained, tasks_of_the_module):
    known = {task.task_id: task for task_set in tasks_of_the_module for task in task_set.tasks}
    rows = list(read(trained[0] / ROLLOUTS))
    for row in rows:
        trajectory = trajectory_of(row, known[row["task_id"]])
        assert trajectory.prompt_views and trajectory.turns
        assert row["prompt_tokens"] > 0 and row["loss_tokens"] <= sum(row["runs"][::2])
    fresh = [row for row in rows if row["kind"] == "train" and row["use"] != "replayed" and row["step"] == 1]
    assert len(fresh) == GROUP and [row["sample"] for row in fresh] == list(range(GROUP))
    assert len({row["task_id"] for row in fresh}) == 1
    mean = sum(row["total"] for row in fresh) / GROUP
    for row in fresh:
        assert set(row["functions"]) == {"letters", "group_reward"}
        assert row["total"] == pytest.approx(sum(row["functions"].values()))
        assert row["functions"]["group_reward"] == pytest.approx(
            sum(row["parts"][name] * row["weights"][name] for name in row["parts"]), abs=1e-6
        )
        assert row["advantage"] == pytest.approx(row["total"] - mean, abs=1e-6)
        assert (row["use"] == "filtered") == (abs(row["advantage"]) < 1e-6)


def test_replayed_rollouts_stand_behind_those_that_they_replace(tiny_checkpoint, tasks, tmp_path):
    differing, same = by_place(in_turn("<answer>7"), in_turn("<answer>right")), in_turn("<answer>7")
    trainer = None

    def script(conversation):
        return (same if trainer.state.global_step else differing)(conversation)

    args = config(tmp_path, max_steps=2, replay_capacity=8, log_rollouts_steps=1, log_rollouts_groups=1)
    trainer = playing(script)(str(tiny_checkpoint), tasks, args, reward_funcs=letters, group_reward=None)
    trainer.train()
    uses = [(row["step"], row["use"], row["group"]) for row in read(tmp_path / ROLLOUTS)]
    assert uses == [(1, "trained", 0)] * GROUP + [(2, "filtered", 0)] * GROUP + [(2, "replayed", None)] * GROUP


def test_without_rollouts_there_is_no_file_and_a_step_is_one_line(tiny_checkpoint, tasks, tmp_path, capsys):
    playing(in_turn("<answer>7"))(str(tiny_checkpoint), tasks, config(tmp_path, log_rollouts_steps=0)).train()
    assert not (tmp_path / ROLLOUTS).exists()
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["step", "trained:"] and shown[0].startswith("step 1/1  reward ")
    assert len((tmp_path / LOG).read_text().splitlines()) == 2


# ------------------------------------------------------------------------------------------------------- model card


def test_a_checkpoint_leaves_a_card_of_the_run(trained):
    card = ModelCard.load(trained[0] / "README.md")
    assert card.data.library_name == "transformers" and "grpo" in card.data.tags
    assert "sample:vstar-tiny, 8 tasks" in card.text and "| optimizer steps | 4 |" in card.text
    assert "Reward functions: `letters`" in card.text and "alpha = 0.5" in card.text


def test_the_card_of_an_adapter_is_that_of_an_adapter(tiny_checkpoint, tasks, tmp_path):
    adapter = LoraConfig(r=2, target_modules=["q_proj"])
    trainer = PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path), peft_config=adapter)
    trainer.create_model_card(model_name="as TRL calls it")
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.library_name == "peft" and card.text.split("\n\n")[1].startswith("LoRA adapter of a")
    assert str(tiny_checkpoint) not in card.content

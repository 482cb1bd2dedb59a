"""Sets that do not fill whole generation batches: repeated, said, and never a success without a step."""

import pytest
from trl import GRPOTrainer

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.generation_batches import GenerationBatches
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet


def config(folder, **options):
    sizes = {"max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 16, "num_generations": 2}
    training = {"per_device_train_batch_size": 8, "max_steps": 2, "logging_steps": 1, "save_strategy": "no"}
    plain = {"gradient_checkpointing": False, "disable_tqdm": True, "use_cpu": True, "dialect": "tiny"}
    return PixelGRPOConfig(output_dir=str(folder), **(sizes | training | plain | options))


@pytest.mark.parametrize(
    ("tasks", "copies", "notice"),
    [
        (4, 1, None),
        (8, 1, None),
        (
            3,
            2,
            "(8 rollouts / 2 of each), and the set has 3: each is repeated 2 times; of the 6 rows of a pass 2",
        ),
        (2, 2, "4 tasks (8 rollouts / 2 of each), and the set has 2: each is repeated 2 times."),
        (1, 4, "and the set has 1: each is repeated 4 times."),
        (7, 1, "of the 7 tasks 3, drawn anew, are left out of each pass."),
    ],
)
def test_a_set_fills_at_least_one_batch_and_what_is_repeated_or_left_out_is_said(tasks, copies, notice):
    batches = GenerationBatches(tasks, rollouts=8, group_size=2)
    assert batches.copies == copies and tasks * copies >= batches.tasks_a_batch
    assert (batches.notice() is None) if notice is None else (notice in batches.notice())


class Scripted(PixelGRPOTrainer):
    def _engine(self, policy):
        return ScriptedEngine(in_turn("<answer>7"), self.chat)


def test_three_tasks_train_where_a_generation_batch_has_four(tiny_checkpoint, tasks, tmp_path, capsys):
    three = TaskSet("three", tasks.tasks[:3], budgets=tasks.budgets)
    trainer = Scripted(str(tiny_checkpoint), three, config(tmp_path))
    trainer.train()
    assert trainer.state.global_step == 2
    assert {row.trajectory.task.task_id for row in trainer._rollouts["train"]} <= {one.task_id for one in three.tasks}
    assert capsys.readouterr().out.count("each is repeated 2 times") == 1


def test_the_rollouts_of_two_groups_of_one_task_differ(tiny_checkpoint, tasks, tmp_path):
    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    trainer = PixelGRPOTrainer(str(tiny_checkpoint), one, config(tmp_path, max_steps=1))
    trainer.train()
    assert len({row.completion_ids for row in trainer._rollouts["train"]}) > 4


def test_a_training_without_a_step_is_an_error(tiny_checkpoint, tasks, tmp_path, monkeypatch):
    trainer = Scripted(str(tiny_checkpoint), tasks, config(tmp_path))
    monkeypatch.setattr(GRPOTrainer, "train", lambda self, *args, **options: None)
    with pytest.raises(ConfigError, match="no step was made"):
        trainer.train()

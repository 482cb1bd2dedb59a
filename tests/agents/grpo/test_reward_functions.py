"""Reward functions of TRL's form, and broken rewards, which are found before a model is loaded."""

import functools
import re
import sys

import numpy as np
import pytest
import torch
from trl import GRPOTrainer

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.reward_functions import checked_function, checked_values
from agents.grpo.rows import task_columns
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.cli import main
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.testing import tiny_task
from tests.agents.grpo import test_small_sets


def config(folder, **options):
    return test_small_sets.config(folder, max_turn_tokens=32, max_completion_length=64, **options)


def test_the_columns_are_the_fields_of_the_task_and_no_pixels():
    task = tiny_task("one", question="How many?", answers=("7", "seven"), options=("7", "8"), category="counting")
    columns = task_columns([task, tiny_task("two", answers=())])
    assert columns["solution"] == ["7", ""] and columns["answers"] == [["7", "seven"], []]
    assert columns["task_id"] == ["one", "two"] and columns["options"][0] == ["7", "8"]
    assert columns["question"][0] == "How many?" and columns["category"][0] == "counting"
    for name, values in columns.items():
        flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
        assert all(isinstance(one, str) for one in flat), name


class Scripted(PixelGRPOTrainer):
    """Every second rollout crops first and answers in a box; the others guess at once."""

    def _engine(self, policy):
        right, wrong = in_turn("<crop> 0 0 4 4", "<answer>\\boxed{7}"), in_turn("<answer>\\boxed{8}")
        return ScriptedEngine(lambda c: (right if c.request.request_id % 2 else wrong)(c), self.chat)


def of_trl():
    from trl import rewards

    return {
        "accuracy_reward": (rewards.accuracy_reward, 0.5),
        "reasoning_accuracy_reward": (rewards.reasoning_accuracy_reward, 0.0),
        "think_format_reward": (rewards.think_format_reward, 0.0),
        "soft_overlong_punishment_reward": (rewards.get_soft_overlong_punishment(1000, 10), 0.0),
        "repetition_penalty_reward": (rewards.get_repetition_penalty_reward(), None),
        "cosine_scaled_reward": (rewards.get_cosine_scaled_reward(max_len=1000), None),
    }


def test_the_reward_functions_of_trl_get_the_columns_and_the_message_that_they_read(tiny_checkpoint, tasks, tmp_path):
    pytest.importorskip("math_verify")
    sevens = TaskSet("sevens", [tiny_task(f"seven-{n}", answers=("7",)) for n in range(4)], budgets=tasks.budgets)
    functions = of_trl()
    args = config(tmp_path, group_reward=None, max_steps=1)
    trainer = Scripted(str(tiny_checkpoint), sevens, args, reward_funcs=[one for one, _ in functions.values()])
    trainer.train()
    [row] = [row for row in trainer.state.log_history if "reward" in row]
    for name, (_, mean) in functions.items():
        assert np.isfinite(row[f"rewards/{name}/mean"]), name
        assert mean is None or row[f"rewards/{name}/mean"] == pytest.approx(mean), name


def test_a_function_gets_columns_messages_and_the_sampled_tokens(tiny_checkpoint, tasks, tmp_path):
    calls = []

    def watching(completions, completion_ids, question, answers, task_id, trajectory, **columns):
        calls.append((completions, completion_ids, question, answers, task_id, trajectory))
        return [0.0] * len(completions)

    trainer = Scripted(str(tiny_checkpoint), tasks, config(tmp_path, max_steps=1), reward_funcs=watching)
    trainer.train()
    assert len(calls) == 2  # on made-up rollouts, and of the step
    completions, ids, question, answers, task_id, trajectories = calls[1]
    for index, trajectory in enumerate(trajectories):
        assert (task_id[index], question[index]) == (trajectory.task.task_id, trajectory.task.question)
        assert answers[index] == list(trajectory.task.answers)
    rows = trainer._rollouts["train"]
    assert [len(one) for one in ids] == [sum(row.sampled) for row in rows] and len(completions[1]) == 3


# ------------------------------------------------------------------------------------------------- what is broken


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (None, "returned None"),
        (1.0, "returned 1.0, a float"),
        ("one", "returned 'one', a str"),
        ([1.0], "returned 1 values for 2 completions: [1.0]"),
        ([1.0, "2"], "returned '2' for completion 1"),
        ([float("nan"), 0.0], "returned nan for completion 0"),
        ([float("inf"), 0.0], "returned inf for completion 0"),
        ([[1.0], [2.0, 3.0]], "returned [1.0] for completion 0"),
        ({0: 1.0, 1: 2.0}, "a dict"),
        (np.zeros(3), "returned 3 values for 2 completions"),
        (np.zeros((2, 1)), "returned [0.0] for completion 0"),
        (1j, "a complex"),
    ],
)
def test_values_that_are_no_rewards_are_named_with_the_function(returned, told):
    with pytest.raises(ConfigError, match=re.escape(told)) as error:
        checked_values(returned, 2, "'mine:reward'")
    assert str(error.value).startswith("The reward function 'mine:reward' returned") and "\n" not in str(error.value)


@pytest.mark.parametrize("returned", [[1, None], (1.0, True), np.array([0.5, 1.0]), torch.tensor([0.5, 1.0])])
def test_numbers_and_none_are_rewards_whatever_holds_them(returned):
    values = checked_values(returned, 2, "'mine:reward'")
    assert all(value is None or type(value) is float for value in values)


def test_a_checked_function_keeps_its_name_and_is_asynchronous_where_it_was():
    class Short:
        def __call__(self, completions, **_):
            return [0.0 for _ in completions]

    def named(completions, weight=1.0, **_):
        return [weight for _ in completions]

    async def later(completions, **_):
        return [1.0 for _ in completions]

    assert checked_function(Short()).__name__ == "Short" and checked_function(named).__name__ == "named"
    assert checked_function(functools.partial(named, weight=0.5))(completions=[[], []]) == [0.5, 0.5]
    assert checked_function("org/reward-model") == "org/reward-model"
    from trl.trainer.utils import is_async_callable

    assert is_async_callable(checked_function(later)) and not is_async_callable(checked_function(named))


BROKEN = {
    "none": ("return None", "returned None"),
    "number": ("return 1.0", "returned a float (1.0)"),
    "raises": ("return {'a': trajectories[0].no_such_field}", "raised AttributeError"),
    "own_error": ("raise KeyError('score')", "raised KeyError: 'score'"),
    "exits": ("import sys; sys.exit(0)", "raised SystemExit"),
    "short": ("return {'a': np.zeros(1)}", "shape (1,)"),
    "not_finite": ("return {'a': np.full(len(trajectories), np.nan)}", "holds nan"),
    "texts": ("return {'a': np.array(['x'] * len(trajectories))}", "real numbers"),
    "ragged": ("return {'a': [[1.0], [1.0, 2.0]]}", "is a list"),
    "no_part": ("return {}", "returned no part"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_group_reward_is_one_line_before_the_model_is_loaded(name, tmp_path, monkeypatch, capsys):
    body, told = BROKEN[name]
    module = f"broken_{name}_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(f"import numpy as np\n\ndef reward(trajectories):\n    {body}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(GRPOTrainer, "__init__", lambda *_, **__: pytest.fail("a model was loaded"))
    words = ["grpo", "--model_name_or_path", "tiny-warm", "--group_reward", f"{module}:reward", "--limit", "2"]
    assert main([*words, "--output_dir", "run", "--max_steps", "1", "--use_cpu", "true"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if f"{module}:reward" in line]
    assert len(lines) == 1 and told in lines[0]


@pytest.mark.parametrize("text", ["def reward(:\n", "import no_such_package\n", "x = 1 / 0\n", "undefined_name\n"])
def test_a_module_that_cannot_be_imported_is_one_line(text, tmp_path, monkeypatch, capsys):
    module = f"unreadable_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["grpo", "--model_name_or_path", "tiny-warm", "--group_reward", f"{module}:reward"]) == 2
    assert f"{module}:reward" in capsys.readouterr().err


def test_a_broken_reward_function_of_trls_form_is_found_before_the_model_is_loaded(tasks, tmp_path):
    def misspelt(completions, **columns):
        return [len(solution) for solution in columns["solutions"]]

    with pytest.raises(ConfigError, match=r"misspelt' raised KeyError: 'solutions' \(test_reward_functions.py, line "):
        PixelGRPOTrainer(str(tmp_path / "no checkpoint"), tasks, config(tmp_path), reward_funcs=misspelt)


def test_a_reward_that_raises_later_names_its_function_and_the_task(tiny_checkpoint, tasks, tmp_path):
    def only_the_first(trajectories):
        known = {tasks.tasks[0].task_id: 1.0}
        return {"known": np.array([known[one.task.task_id] for one in trajectories])}

    trainer = Scripted(str(tiny_checkpoint), tasks, config(tmp_path), group_reward=only_the_first)
    with pytest.raises(ConfigError, match=r"only_the_first' raised KeyError: .* for the task '"):
        trainer.train()


def test_a_constant_reward_of_any_size_moves_nothing_and_fills_no_buffer(tiny_checkpoint, tasks, tmp_path):
    def constant(completions, **_):
        return [100.1] * len(completions)

    for scale in ("none", "group", "batch"):
        args = config(tmp_path, group_reward=None, scale_rewards=scale, replay_capacity=8, max_steps=1)
        trainer = Scripted(str(tiny_checkpoint), tasks, args, reward_funcs=constant)
        trainer.train()
        [row] = [row for row in trainer.state.log_history if "reward" in row]
        assert row["reward"] == pytest.approx(100.1) and row["filtered"] == 1.0 and row["replay/buffered"] == 0
        assert row["grad_norm"] == 0.0

"""The replay buffer on disk: it comes back bit for bit, reading it runs nothing, and what is wrong is one line."""

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.replay_buffer import Kept
from agents.grpo.replay_files import read_kept, replay_file, write_kept
from agents.grpo.replay_rows import rows_to_keep, with_rows
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from pixel_env.errors import ConfigError

ROWS = 8


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.fixture(scope="module")
def trainer(tiny_checkpoint, tasks, tmp_path_factory):
    """One whose episodes crop, miss, and answer."""
    options = {"dialect": "tiny", "max_turns": 3, "max_turn_tokens": 8, "max_completion_length": 32}
    options |= {"num_generations": 4, "per_device_train_batch_size": ROWS, "save_strategy": "no", "use_cpu": True}
    folder = str(tmp_path_factory.mktemp("trainer"))
    args = PixelGRPOConfig(output_dir=folder, replay_capacity=64, group_reward="correctness", **options)
    made = PixelGRPOTrainer(str(tiny_checkpoint), tasks, args)
    made.model.train()
    engine = ScriptedEngine(in_turn("<crop> 0 0 4 4", "<crop> 9 9 3 3", "7"), made.chat)
    made._engine = lambda _: engine
    return made


@pytest.fixture(scope="module")
def kept(trainer):
    """Rows with their advantages, some of an earlier step."""
    batch = trainer._generate_and_score_completions([{"prompt": str(row // 4)} for row in range(ROWS)])
    batch["old_per_token_logps"] = torch.randn(batch["completion_ids"].shape).bfloat16()
    rows = rows_to_keep(batch, trainer._rollouts["train"])
    return [Kept(row, 0.1 * (index + 1) / 3, index // 4) for index, row in enumerate(rows)]


def test_the_buffer_comes_back_bit_for_bit(kept, tasks, tmp_path):
    file = replay_file(str(tmp_path), 3)
    write_kept(file, kept)
    assert file.name == "replay_3.safetensors" and not list(tmp_path.glob("*.partial"))
    again = read_kept(file, tasks)
    assert len(again) == len(kept) and any(one.sample.rollout.trajectory.failures for one in kept)
    for one, other in zip(kept, again, strict=True):
        assert (one.advantage, one.step) == (other.advantage, other.step)
        for name in type(one.sample.rollout).__slots__:
            assert getattr(one.sample.rollout, name) == getattr(other.sample.rollout, name), name
        assert one.sample.columns.keys() == other.sample.columns.keys()
        for name, values in one.sample.columns.items():
            assert values.dtype == other.sample.columns[name].dtype and torch.equal(values, other.sample.columns[name])


def test_a_loaded_row_makes_the_same_batch(trainer, kept, tasks, tmp_path):
    write_kept(tmp_path / "file", kept)
    again = read_kept(tmp_path / "file", tasks)
    batch = trainer._generate_and_score_completions([{"prompt": "5"}] * ROWS)
    batch["old_per_token_logps"] = torch.zeros(batch["completion_ids"].shape)
    merged = [with_rows(batch, [1, 6], [rows[3].sample, rows[0].sample], trainer.chat.pad_id) for rows in (kept, again)]
    for name, values in merged[0].items():
        assert torch.equal(torch.as_tensor(values), torch.as_tensor(merged[1][name])), name


def test_an_empty_buffer_comes_back_empty(tasks, tmp_path):
    write_kept(tmp_path / "file", [])
    assert read_kept(tmp_path / "file", tasks) == []


def test_a_text_with_half_of_a_character_comes_back(kept, tasks, tmp_path):
    rollout = kept[0].sample.rollout
    trajectory = replace(rollout.trajectory, answer="7\ud800", error="\udfff")
    row = replace(kept[0].sample, rollout=replace(rollout, trajectory=trajectory))
    write_kept(tmp_path / "file", [replace(kept[0], sample=row)])
    assert read_kept(tmp_path / "file", tasks)[0].sample.rollout.trajectory == trajectory


def test_a_pickle_is_never_read_neither_under_its_old_name_nor_under_the_new_one(tasks, tmp_path):
    marker = tmp_path / "marker"
    replay_file(str(tmp_path), 0).with_suffix(".pkl").write_bytes(pickle.dumps([Planted(marker)]))
    with pytest.raises(ConfigError, match=r"replay_0\.pkl is a pickle of an earlier release.*--replay_capacity 0"):
        read_kept(replay_file(str(tmp_path), 0), tasks)
    replay_file(str(tmp_path), 1).write_bytes(pickle.dumps([Planted(marker)]))
    with pytest.raises(ConfigError, match=r"replay_1\.safetensors cannot be read"):
        read_kept(replay_file(str(tmp_path), 1), tasks)
    assert not marker.exists()


def test_a_checkpoint_without_a_buffer_is_refused_with_the_way_out(tasks, tmp_path):
    with pytest.raises(ConfigError, match="replay_capacity"):
        read_kept(replay_file(str(tmp_path), 0), tasks)


def test_tasks_that_are_gone_or_changed_are_named(kept, tasks, tmp_path):
    file = tmp_path / "file"
    write_kept(file, kept)
    gone = kept[0].sample.rollout.trajectory.task.task_id
    with pytest.raises(ConfigError, match=f"^{file}: it holds rollouts of 2 tasks .* no longer has, such as '{gone}'"):
        read_kept(file, replace(tasks, tasks=tasks.tasks[4:]))
    changed = [replace(task, question="Another?") if task.task_id == gone else task for task in tasks.tasks]
    with pytest.raises(ConfigError, match=f"^{file}: the task '{gone}' has changed"):
        read_kept(file, replace(tasks, tasks=changed))


DEEP = "[" * 100_000
BROKEN_JSON = {
    "not JSON": lambda text: text[:-3],
    "deeply nested": lambda text: DEEP,
    "a list": lambda text: "[]",
    "another version": lambda text: text.replace('"version": 1', '"version": 99', 1),
    "no rows": lambda text: '{"version": 1}',
    "a row that is a number": lambda text: '{"version": 1, "rows": [7]}',
    "a list for a task id": lambda text: text.replace('"task_id": "', '"task_id": ["a"], "was": "', 1),
    "an unknown column": lambda text: text.replace('"prompt_ids"', '"pixel_values"', 1),
    "a column too many": lambda text: text.replace('"columns": [', '"columns": ["advantages", ', 1),
    "a text for the step": lambda text: text.replace('"step": 0', '"step": "0"', 1),
    "more views than there are": lambda text: re.sub(
        r'"views": \d+, "vid', '"views": 10000000000, "vid', text, count=1
    ),
    "a row without turns": lambda text: text.replace('"turns"', '"twirls"', 1),
    "too few marks": lambda text: text.replace('"sampled": "1', '"sampled": "', 1),
    "a nested blank source": lambda text: text.replace('"source": "', '"source": "' + "blank:" * 50_000, 1),
}


@pytest.mark.parametrize("change", BROKEN_JSON.values(), ids=BROKEN_JSON.keys())
def test_broken_rows_are_one_line_that_names_the_file(kept, tasks, tmp_path, change):
    file = tmp_path / "file"
    write_kept(file, kept)
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        text = opened.metadata()["replay"]
    assert change(text) != text
    save_file(tensors, file, metadata={"replay": change(text)})
    with pytest.raises(ConfigError, match=f"^{file}") as raised:
        read_kept(file, tasks)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600


def tensors_of(number_of_ids, dtype):
    return {"0/prompt_ids": torch.zeros(number_of_ids, dtype=dtype)}


@pytest.mark.parametrize(
    "changed",
    [tensors_of(3, torch.int64), tensors_of(0, torch.int64), tensors_of(1, torch.float32), {"0/tool_mask": None}],
    ids=["another length", "empty", "no ids", "missing"],
)
def test_broken_tensors_are_one_line_that_names_the_file(kept, tasks, tmp_path, changed):
    file = tmp_path / "file"
    write_kept(file, kept)
    with safe_open(file, framework="pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()} | changed  # noqa: SIM118
        metadata = opened.metadata()
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, file, metadata=metadata)
    with pytest.raises(ConfigError, match=f"^{file} cannot be read"):
        read_kept(file, tasks)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100, json.dumps({"a": 1}).encode(), np.random.bytes(10_000)])
def test_bytes_of_another_kind_are_one_line_that_names_the_file(tasks, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{tmp_path / 'file'} cannot be read"):
        read_kept(tmp_path / "file", tasks)


def test_a_truncated_file_is_one_line(kept, tasks, tmp_path):
    write_kept(tmp_path / "file", kept)
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=f"^{tmp_path / 'file'} cannot be read"):
        read_kept(tmp_path / "file", tasks)

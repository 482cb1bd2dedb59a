"""The trainer through real vLLM in its process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load
from agents.engines.transformers import TransformersEngine
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits
from tests.paths import ROOT

pytest.importorskip("vllm")
TINY = dialect_named("tiny")
BOUND = 1e-4
"""Of log-probabilities in float32 on a CPU; measured: 4e-7."""


def config(folder, **options):
    sizes = {"max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 16, "max_tokens": 512, "max_images": 6}
    sizes |= {"num_generations": 4, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 8}
    training = {"max_steps": 2, "logging_steps": 1, "learning_rate": 1e-3, "gradient_checkpointing": False}
    places = {"save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "report_to": "none"}
    vllm = {"use_vllm": True, "vllm_mode": "colocate", "eval_temperature": 0.0, "num_generations_eval": 1}
    return PixelGRPOConfig(output_dir=str(folder), dialect="tiny", **(sizes | training | places | vllm | options))


@pytest.fixture
def vllm_engines(vllm_of_tiny_zoom, monkeypatch):
    """Engines that trainers make here stand on the session's `LLM`; counted: weights taken over, generations."""
    from agents.engines.vllm import VLLMEngine

    counts = {"weights": 0, "submitted": 0}

    class Counting(VLLMEngine):
        def load_weights(self, weights):
            counts["weights"] += 1
            super().load_weights(weights)

        def submit(self, request):
            counts["submitted"] += 1
            super().submit(request)

    monkeypatch.setattr("agents.grpo.engine.load_vllm", lambda *_, **__: vllm_of_tiny_zoom)
    monkeypatch.setattr("agents.grpo.engine.VLLMEngine", Counting)
    yield counts
    model, processor = load(model_folder("tiny-zoom"))
    from agents.grpo.policy_weights import policy_weights

    VLLMEngine(vllm_of_tiny_zoom, Chat(processor, TINY)).load_weights(policy_weights(model))


def logged(trainer, name):
    return [row[name] for row in trainer.state.log_history if name in row]


def greedy(engine, chat, tasks):
    settings = EpisodeSettings(TINY, Limits(max_turns=2, max_images=6, max_tokens=512), tasks.budgets)
    played = rollout(list(tasks.tasks), engine, chat, settings=settings, sampling=Sampling(0.0, 8), seed=0)
    return [row.completion_ids for row in played], [row.trajectory.reward for row in played]


def test_what_vllm_samples_is_what_the_trainer_scores_and_weights_travel_once_a_step(tmp_path, vllm_engines):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    held_out = load_tasks("sample:vstar-tiny", split="test", count=8)
    options = {"eval_strategy": "steps", "eval_steps": 1, "eval_on_start": True, "max_steps": 3}
    trainer = PixelGRPOTrainer("tiny-warm", tasks, config(tmp_path, **options), eval_tasks=held_out)
    trainer.train()
    assert len(logged(trainer, "sampling/sampling_logp_difference/max")) == 3
    assert max(logged(trainer, "sampling/sampling_logp_difference/max")) < BOUND
    assert len(logged(trainer, "eval_accuracy")) == 4
    # At the start and after each of three steps; never for a turn, nor for an evaluation at the same step.
    assert vllm_engines["weights"] == 4 and vllm_engines["submitted"] > 3 * 8 + 4 * 8


def test_the_best_checkpoint_is_kept_and_scores_the_same_wherever_it_is_loaded(
    tmp_path, vllm_engines, vllm_of_tiny_zoom
):
    from agents.engines.vllm import VLLMEngine
    from agents.grpo.policy_weights import policy_weights

    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    held_out = load_tasks("sample:vstar-tiny", split="test", count=24)
    options = {"eval_strategy": "steps", "eval_steps": 1, "save_strategy": "steps", "save_steps": 1}
    options |= {"load_best_model_at_end": True, "metric_for_best_model": "eval_accuracy", "save_only_model": True}
    # Steps this large ruin a model that zooms: the first checkpoint is the better one.
    trainer = PixelGRPOTrainer(
        "tiny-zoom", tasks, config(tmp_path, learning_rate=3e-3, max_steps=3, **options), eval_tasks=held_out
    )
    trainer.train()
    accuracies = logged(trainer, "eval_accuracy")
    assert trainer.state.best_metric == max(accuracies) > min(accuracies)
    assert trainer.evaluate()["eval_accuracy"] == max(accuracies)
    trainer.save_model(str(tmp_path / "final"))
    model, processor = load(tmp_path / "final")
    chat = Chat(processor, TINY)
    ids, rewards = greedy(TransformersEngine(model.eval(), chat), chat, held_out)
    assert np.mean(rewards) == max(accuracies)
    engine = VLLMEngine(vllm_of_tiny_zoom, chat)
    engine.load_weights(policy_weights(model))
    assert greedy(engine, chat, held_out) == (ids, rewards)


def test_images_videos_and_texts_train_in_one_batch(tmp_path, vllm_engines):
    rng = np.random.default_rng(0)
    for number in range(16):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    rows = [
        {"id": "image", "question": "which digit is on the red card", "image": "0.png", "answer": "7"},
        {"id": "video", "question": "which digit", "frames": [f"{n}.png" for n in range(16)], "answer": "7"},
        {"id": "text", "question": "which digit", "answer": "7"},
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def letters(completions, **_):
        return [sum(letter in "aeiou01234" for letter in messages[0]["content"]) / 10 for messages in completions]

    args = config(tmp_path / "run", per_device_train_batch_size=12, temperature=2.0)
    trainer = PixelGRPOTrainer("tiny-warm", str(tmp_path / "tasks.jsonl"), args, reward_funcs=letters)
    trainer.train()
    kinds = {row.trajectory.task.task_id: len(row.views) for row in trainer._rollouts["train"]}
    assert kinds["video"] >= 16 and kinds["text"] == 0 and 1 <= kinds["image"] < 16
    assert logged(trainer, "stops/failed") == [0.0, 0.0]
    assert min(logged(trainer, "grad_norm")) > 0
    assert max(logged(trainer, "sampling/sampling_logp_difference/max")) < BOUND


def test_an_adapted_policy_samples_with_its_adapter(tmp_path, vllm_engines):
    from peft import LoraConfig

    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    torch.manual_seed(0)
    adapter = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    trainer = PixelGRPOTrainer("tiny-warm", tasks, config(tmp_path), peft_config=adapter)
    trainer.train()
    assert max(logged(trainer, "sampling/sampling_logp_difference/max")) < BOUND


@pytest.mark.parametrize("mode", ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"])
def test_every_importance_sampling_mode_trains(tmp_path, vllm_engines, mode):
    def letters(completions, **_):
        return [sum(letter in "aeiou01234" for letter in messages[0]["content"]) / 10 for messages in completions]

    tasks = load_tasks("sample:vstar-tiny", split="train", count=8)
    args = config(tmp_path, max_steps=1, temperature=2.0, vllm_importance_sampling_mode=mode)
    trainer = PixelGRPOTrainer("tiny-warm", tasks, args, reward_funcs=letters)
    trainer.train()
    assert min(logged(trainer, "grad_norm")) > 0
    assert logged(trainer, "sampling/importance_sampling_ratio/mean") == pytest.approx([1.0], abs=1e-3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vllm_tensor_parallel_size": 2}, "vllm_tensor_parallel_size is 2.*vllm_mode='server'"),
        ({"max_tokens": None}, "Give max_tokens"),
    ],
)
def test_what_the_engine_cannot_do_is_refused_by_name(tmp_path, options, told):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    with pytest.raises(ConfigError, match=told):
        PixelGRPOTrainer("tiny-warm", tasks, config(tmp_path, **options))


def test_the_lower_of_the_two_token_limits_holds_for_episodes(tmp_path):
    assert config(tmp_path, max_tokens=None, vllm_max_model_length=300).max_tokens == 300
    assert config(tmp_path, max_tokens=200, vllm_max_model_length=300).max_tokens == 200


def test_two_processes_have_an_engine_each(tmp_path):
    """The whole command, as a user starts it."""
    sizes = {"max_steps": 2, "save_steps": 2, "save_only_model": "true", "eval_task_count": 8}
    sizes |= {"per_device_eval_batch_size": 4, "per_device_train_batch_size": 8, "gradient_accumulation_steps": 1}
    flags = [word for name, value in sizes.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "pixel_env.cli", "grpo", "--config", str(ROOT / "examples/configs/tiny_vllm.yaml"), *flags]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    finished = subprocess.run(
        [*command, "--output_dir", str(tmp_path)], env=environment, capture_output=True, text=True, timeout=800
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["accuracy_after"]["n"] == 8
    history = json.loads((tmp_path / "checkpoint-2" / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    differences = [row[name] for row in history if (name := "sampling/sampling_logp_difference/max") in row]
    assert len(differences) == 2 and max(differences) < BOUND

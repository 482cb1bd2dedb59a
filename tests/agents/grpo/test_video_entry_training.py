"""Training on episodes whose video is one entry of the prompt, through TRL's own code."""

import pytest
import torch

from agents.chat.video_positions import token_positions
from agents.engines.transformers import TransformersEngine
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from agents.traces.trace import Trace, TraceTurn
from pixel_env.task import TaskSet
from tests.agents.chat.test_video_entry import BOUND, SELECTED, furthest, mixed_tasks, played
from tests.agents.random_qwen import RELEASED, make_model, make_processor

GROUP, ROWS = 2, 8


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random-qwen2.5-vl")
    processor = make_processor()
    make_model(processor).save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def options(folder, **more):
    shared = {"max_steps": 1, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "report_to": []}
    return {"output_dir": str(folder), "gradient_checkpointing": False, "learning_rate": 1e-3} | shared | more


def trainer_of(checkpoint, folder, **more):
    args = PixelGRPOConfig(
        group_reward=None, max_turns=3, max_turn_tokens=6, max_completion_length=18, num_generations=GROUP,
        per_device_train_batch_size=ROWS, **options(folder, **more),
    )  # fmt: skip
    tasks = TaskSet("mixed", mixed_tasks())

    def reward(completions, **_):
        return [float(place % GROUP) for place in range(len(completions))]

    return PixelGRPOTrainer(checkpoint, tasks, args, reward_funcs=reward, dialect=RELEASED)


def test_what_is_sampled_about_videos_images_and_texts_is_what_the_trainer_scores(checkpoint, tmp_path):
    trainer = trainer_of(checkpoint, tmp_path)
    rollouts = played(TransformersEngine(trainer.model, trainer.chat), trainer.chat, mixed_tasks() * GROUP)
    trainer.model.train()
    width = max(len(one.prompt_ids) for one in rollouts)
    length = max(len(one.completion_ids) for one in rollouts)
    ids = torch.full((len(rollouts), width + length), trainer.chat.pad_id)
    for row, one in enumerate(rollouts):
        ids[row, width - len(one.prompt_ids) : width] = torch.tensor(one.prompt_ids)
        ids[row, width : width + len(one.completion_ids)] = torch.tensor(one.completion_ids)
    trainer._scored = rollouts
    with torch.no_grad():
        logps, _, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids, (ids != trainer.chat.pad_id).long(), length
        )
    scored = [row[: len(one.completion_ids)].tolist() for row, one in zip(logps, rollouts, strict=True)]
    assert furthest(rollouts, scored) < BOUND


def test_a_step_on_a_batch_of_videos_images_and_texts_moves_the_tower(checkpoint, tmp_path):
    trainer = trainer_of(checkpoint, tmp_path)
    before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters() if "visual" in name}
    trainer.train()
    after = dict(trainer.model.named_parameters())
    assert any(not torch.equal(weight, after[name]) for name, weight in before.items())
    assert not trainer.model._forward_pre_hooks


def test_the_warm_start_places_the_text_after_a_video_as_the_sampler_does(checkpoint, tmp_path):
    video = mixed_tasks()[3]  # 3 steps, more than its sides have tokens
    trace = Trace(video, (TraceTurn(SELECTED), TraceTurn("7")))
    args = PixelSFTConfig(max_turns=3, per_device_train_batch_size=1, **options(tmp_path))
    trainer = PixelSFTTrainer(
        checkpoint, [trace], args, dialect=RELEASED, task_set=TaskSet("one", [video], budgets=RELEASED.budgets)
    )
    batch = trainer.data_collator([{"trace": 0}])
    positions = token_positions(trainer.model, batch)
    by_itself = make_model(trainer.processing_class)
    with torch.no_grad():
        trained, placed = (
            float(trainer.model.eval()(**batch, **more).loss) for more in ({}, {"position_ids": positions})
        )
        assert trained == placed != pytest.approx(float(by_itself(**batch).loss), abs=BOUND)
    assert trainer.train().training_loss > 0

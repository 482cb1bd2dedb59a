"""`freeze_vision_tower` in reinforcement learning: whole models, and adapters."""

import copy

import pytest
import torch

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.task import TaskSet
from tests.agents.grpo.test_small_sets import config


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("adapted", [True, False])
def test_a_frozen_tower_is_not_moved_and_has_no_adapters(tiny_checkpoint, tasks, tmp_path, frozen, adapted):
    from peft import LoraConfig

    one = TaskSet("one", tasks.tasks[:1], budgets=tasks.budgets)
    right = in_turn("<crop> 0 0 4 4", f"<answer>{one.tasks[0].answers[0]}")

    class Scripted(PixelGRPOTrainer):
        def _engine(self, policy):
            wrong = in_turn("<answer>no")
            return ScriptedEngine(lambda c: (right if c.request.request_id % 2 else wrong)(c), self.chat)

    lora = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False) if adapted else None
    args = config(tmp_path, freeze_vision_tower=frozen, max_steps=1, learning_rate=1e-3)
    trainer = Scripted(str(tiny_checkpoint), one, args, peft_config=lora)
    before = copy.deepcopy(trainer.model.state_dict())
    trainer.train()
    moved = [name for name, value in trainer.model.state_dict().items() if not torch.equal(before[name], value)]
    assert any("visual" not in name for name in moved)
    assert any("visual" in name for name in moved) is not frozen
    if adapted and frozen:
        assert not any("visual" in name for name in before if "lora_" in name)

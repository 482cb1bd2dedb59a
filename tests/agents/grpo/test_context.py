"""An episode of a training ends where the model's positions end."""

import pytest

from agents.checkpoints.context import context_of
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError
from tests.agents.grpo.test_small_sets import config


class Looking(PixelGRPOTrainer):
    def _engine(self, policy):
        return ScriptedEngine(in_turn("<crop> 0 0 8 8"), self.chat)


def test_an_episode_that_would_pass_the_positions_is_truncated_by_tokens(tiny_checkpoint, tasks, tmp_path):
    args = config(tmp_path, max_turns=99, max_images=100, max_turn_tokens=8, max_completion_length=800)
    trainer = Looking(str(tiny_checkpoint), tasks, args)
    trainer.model.config.get_text_config().max_position_embeddings = 300
    trainer.model.train()
    trainer._generate(["0"])
    [row] = trainer._rollouts["train"]
    assert row.trajectory.stop is Stop.TOKENS and len(row.prompt_ids) + len(row.completion_ids) <= 300
    assert args.convention(args.settings(trainer.dialect, tasks)).limits.max_tokens is None


def test_more_tokens_than_positions_are_refused_before_the_model_is_loaded(tiny_checkpoint, tasks, tmp_path):
    context = context_of(str(tiny_checkpoint))
    with pytest.raises(ConfigError, match=rf"max_tokens is {context + 1}, but .* positions for {context} tokens"):
        PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path, max_tokens=context + 1))

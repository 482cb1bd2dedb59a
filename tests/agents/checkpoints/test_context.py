"""The model's positions bound a conversation."""

import json
from types import SimpleNamespace

import pytest

from agents.checkpoints.context import context_of, within_context
from agents.checkpoints.names import checkpoint_path
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.plan import planned
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError


def written(folder, config):
    folder.mkdir()
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return str(folder)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 128000}, 128000),
        ({"text_config": {"max_position_embeddings": 4096}, "max_position_embeddings": 7}, 4096),
        ({"text_config": {}, "max_position_embeddings": 7}, 7),
        ({"text_config": {"max_position_embeddings": None}}, None),
        ({"max_position_embeddings": True}, None),
        ([], None),
        ("{", None),
    ],
)
def test_the_positions_are_those_of_the_language_model(tmp_path, config, expected):
    assert context_of(written(tmp_path / "model", config)) == expected


def test_a_name_that_is_no_folder_has_no_known_context(tmp_path):
    assert context_of(str(tmp_path / "none")) is None
    assert context_of(SimpleNamespace()) is None


def test_an_embedded_model_has_the_same_context_by_name_and_loaded():
    from transformers import AutoConfig

    loaded = SimpleNamespace(config=AutoConfig.from_pretrained(checkpoint_path("tiny-warm")))
    assert context_of("tiny-warm") == context_of(loaded) > 0


def test_limits_are_bounded_by_the_context_and_larger_ones_are_refused_with_both_numbers():
    assert within_context(Limits(), 512, "m").max_tokens == 512
    assert within_context(Limits(max_tokens=100), 512, "m") == Limits(max_tokens=100)
    assert within_context(Limits(), None, "m") == Limits()
    with pytest.raises(ConfigError, match="max_tokens is 513, but m has positions for 512 tokens"):
        within_context(Limits(max_tokens=513), 512, "m")


def test_an_evaluation_is_bounded_by_the_model_s_positions(tmp_path):
    context = context_of("tiny-warm")

    def plan(**options):
        return planned(EvalConfig(model="tiny-warm", output_dir=str(tmp_path), task_count=2, **options))

    assert plan().settings.limits.max_tokens == context and plan().recorded[0].max_tokens is None
    assert plan(max_tokens=99).settings.limits.max_tokens == 99
    with pytest.raises(ConfigError, match=rf"max_tokens is {context + 1}, but 'tiny-warm' has .* {context} tokens"):
        plan(max_tokens=context + 1)

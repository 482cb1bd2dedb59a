import pytest
from trl import ModelConfig

from agents.checkpoints.model_options import model_options
from pixel_env.errors import ConfigError

GIVEN = {"dtype": "bfloat16", "attn_implementation": "sdpa", "use_cache": False}


def test_what_is_given_wins_over_flags_at_their_defaults_and_a_flag_that_was_set_wins_over_it():
    assert model_options(GIVEN, ModelConfig()) == {**GIVEN, "revision": "main"}
    flags = ModelConfig(dtype="float16", attn_implementation="eager", model_revision="v2")
    own = {"dtype": "float16", "attn_implementation": "eager", "revision": "v2"}
    assert model_options(GIVEN, flags) == {**GIVEN, **own} and model_options(None, flags) == own


@pytest.mark.parametrize("given", [None, {}, {"dtype": None}])
def test_where_nothing_is_said_a_model_is_loaded_in_float32(given):
    for flags in (ModelConfig(), ModelConfig(dtype=None)):
        assert model_options(given, flags) == {"dtype": "float32", "revision": "main"}


def test_a_text_that_is_no_json_is_refused_with_an_example():
    with pytest.raises(ConfigError, match=r"'dtype=bfloat16'.*JSON.*\{\"dtype\": \"bfloat16\"\}"):
        model_options("dtype=bfloat16", ModelConfig())

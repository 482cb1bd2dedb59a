import pytest

from agents.sft.config import PixelSFTConfig
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError

REFUSED = {
    "hub_strategy": "checkpoint",
    "packing": True,
    "padding_free": True,
    "eval_packing": True,
    "packing_strategy": "wrapped",
    "completion_only_loss": False,
    "assistant_only_loss": True,
    "pad_to_multiple_of": 64,
    "truncation_mode": "keep_end",
    "shuffle_dataset": True,
    "dataset_text_field": "words",
    "dataset_num_proc": 2,
    "dataset_kwargs": {"skip_prepare_dataset": False},
    "length_column_name": "words",
}


def config(folder, **options):
    return PixelSFTConfig(output_dir=str(folder), use_cpu=True, **options)


@pytest.mark.filterwarnings("ignore:.*keep_end")
@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_an_option_of_trl_that_would_be_ignored_is_refused_by_name_with_the_way_out(tmp_path, name, value):
    with pytest.raises(ConfigError, match=rf"{name} is .*; wanted: .*(Leave|set|uploaded|group_by|give|seed|workers)"):
        config(tmp_path, **{name: value}, max_length=64)


def test_what_asks_for_nothing_is_taken(tmp_path):
    plain = {"completion_only_loss": None, "eval_packing": False, "pad_to_multiple_of": "auto"}
    args = config(tmp_path, **plain, dataset_kwargs={"skip_prepare_dataset": True})
    assert args.train_sampling_strategy == "group_by_length"


def test_an_order_that_nobody_knows_is_refused_with_the_ones_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match=r"train_sampling_strategy is 'grouped'.*group_by_length"):
        config(tmp_path, train_sampling_strategy="grouped")


@pytest.mark.parametrize(
    ("name", "value"), [("max_length", 0), ("max_tokens", -5), ("max_turns", 0), ("max_images", 0)]
)
def test_a_limit_that_no_trace_can_keep_is_refused_by_name(tmp_path, name, value):
    with pytest.raises(ConfigError, match=f"{name} is {value}; wanted: a whole number, at least 1"):
        config(tmp_path, **{name: value})


def test_a_prompt_of_ones_own_is_what_traces_are_played_with(tmp_path):
    (tmp_path / "prompt.txt").write_text("Look twice.", encoding="utf-8")
    dialect = dialect_named("default")
    own = config(tmp_path, prompt_file=str(tmp_path / "prompt.txt")).settings(dialect, None)
    assert own.dialect != dialect == config(tmp_path).settings(dialect, None).dialect

"""What the training commands check before torch is loaded, and what TRL's parser checks after it."""

import dataclasses
import typing

import pytest
from trl import GRPOConfig, ModelConfig, SFTConfig

from agents.config.recipes import recipes_of, shipped
from agents.config.training_command import checked
from agents.config.training_parser import RecipeParser, parsed
from agents.config.trl_numbers import BOUNDS
from agents.grpo.options import GRPO
from agents.grpo.training import CLASSES as GRPO_CLASSES
from agents.sft.options import SFT
from agents.sft.training import CLASSES as SFT_CLASSES
from pixel_env.command_line.values import bare
from pixel_env.errors import ConfigError, PixelEnvError, UsageError

COMMANDS = {"grpo": (GRPO, GRPO_CLASSES, GRPOConfig), "sft": (SFT, SFT_CLASSES, SFTConfig)}


@pytest.fixture
def read(tmp_path):
    def read(command, *flags):
        places = ["--output_dir", str(tmp_path), "--use_cpu", "true", "--bf16", "false"]
        return parsed(COMMANDS[command][1], [*places, *flags], COMMANDS[command][0])

    return read


@pytest.fixture(scope="module")
def parsers():
    return {name: RecipeParser(classes, command) for name, (command, classes, _) in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_names_that_are_read_from_trls_source_are_those_of_its_classes(name):
    command, _, config = COMMANDS[name]
    assert command.trl_names() == {
        one.name for cls in (config, ModelConfig) for one in dataclasses.fields(cls) if one.init
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_of_trl_that_the_help_shows_and_options_that_are_refused_are_fields_of_trl(name):
    command, classes, _ = COMMANDS[name]
    names = command.trl_names()
    assert {one for group in command.groups for one in group.of_trl} <= names and set(command.refused) <= names
    own = {one.name for cls in command.classes for one in dataclasses.fields(cls)}
    read = {one.name for cls in classes for one in dataclasses.fields(cls)}
    assert own <= read


def test_every_recipe_that_ships_belongs_to_one_training_command():
    assert sorted(recipes_of("sft") + recipes_of("grpo")) == shipped()


def test_flags_override_the_recipe_whatever_their_spelling_and_both_override_the_defaults(read, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("limit: 5\nmax-turns: 3\nlearning_rate: 3e-4\ngroup_reward: correctness\nuse_vllm: false\n")
    tasks, args, model, _ = read("grpo", "--config", str(recipe), "--max-turns=2", "--beta", "0.1", "--model", "m")
    assert (tasks.task_count, args.max_turns, args.learning_rate, args.beta) == (5, 2, 3e-4, 0.1)
    assert (args.group_reward, model.model_name_or_path) == ("correctness", "m")
    assert read("grpo", "--task-count", "7", "--config", str(recipe))[0].task_count == 7


@pytest.mark.parametrize(
    ("flags", "value"),
    [
        (["--use_vllm"], True),
        (["--use-vllm", "true"], True),
        (["--use_vllm=false"], False),
        (["--no_use_vllm"], False),
        ([], False),
    ],
)
def test_a_switch_of_trls_is_written_like_all_others(read, flags, value):
    assert read("grpo", *flags)[1].use_vllm is value


def test_a_switch_of_ours_is_written_like_all_others(read):
    for flags in (["--no-filter-zero-advantage"], ["--filter_zero_advantage", "false"]):
        assert read("grpo", *flags)[1].filter_zero_advantage is False
    assert read("sft", "--freeze_vision_tower")[1].freeze_vision_tower is True


def test_options_of_vllm_are_a_mapping_in_a_recipe_and_json_as_a_flag(read, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("use_vllm: true\nvllm_options: {max_num_seqs: 4}\n")
    assert read("grpo", "--config", str(recipe))[1].options_of_vllm() == {"max_num_seqs": 4}
    flags = ["--use_vllm", "--vllm_options", '{"max_num_seqs": 4}']
    assert read("grpo", *flags)[1].options_of_vllm() == {"max_num_seqs": 4}
    with pytest.raises(UsageError, match="vllm_options: got 'max_num_seqs=4'; wanted: a mapping"):
        read("grpo", "--vllm_options", "max_num_seqs=4")


def test_further_operations_become_part_of_the_name_of_the_dialect(read, tmp_path):
    (tmp_path / "recipe.yaml").write_text("dialect: qwen2.5-vl\noperations: [rotate]\n")
    recipe = ["--config", str(tmp_path / "recipe.yaml")]
    assert read("sft", *recipe)[1].dialect == "qwen2.5-vl+rotate"
    assert read("grpo", *recipe, "--operations", "flip")[1].dialect == "qwen2.5-vl+flip"


def test_the_environment_of_a_recipe_is_set_as_trl_sets_it(read, tmp_path, monkeypatch):
    monkeypatch.setenv("OF_A_RECIPE", "before")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("env: {OF_A_RECIPE: 3}\n")
    read("grpo", "--config", str(recipe))
    import os

    assert os.environ["OF_A_RECIPE"] == "3"
    recipe.write_text("env: 3\n")
    with pytest.raises(ConfigError, match=r"recipe\.yaml, line 1, column 6: env is 3; wanted"):
        read("grpo", "--config", str(recipe))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("max_steps: [1]", "line 2, column 12: max_steps is .1.; wanted: a whole number"),
        ("learning_rate: fast", "line 2, column 16: learning_rate is 'fast'; wanted: a number"),
        ("use_vllm: 3", "line 2, column 11: use_vllm is 3; wanted: true or false"),
        ("dtype: float7", "line 2, column 8: dtype is 'float7'; wanted: auto, bfloat16"),
        ("learning_rat: 1", "line 2, column 15: there is no setting 'learning_rat'. Did you mean learning_rate"),
        ("task_cuont: 1", "line 2, column 13: there is no setting 'task_cuont'. Did you mean limit"),
        (
            "limit: 3\ntask_count: 3",
            "line 3, column 13: task_count and another name of this setting are both given",
        ),
        ("dialect: qwen3", "No dialect named 'qwen3'"),
    ],
)
def test_a_setting_of_a_recipe_that_cannot_be_used_is_named_with_its_place(read, tmp_path, line, wanted):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"# a recipe\n{line}\n")
    with pytest.raises(PixelEnvError, match=wanted):
        read("grpo", "--config", str(recipe))


def numbers_of_trl():
    for name, (command, _, config) in COMMANDS.items():
        for cls in (config, ModelConfig):
            kinds = typing.get_type_hints(cls)
            for one in dataclasses.fields(cls):
                is_own = one.name in {field.name for part in command.classes for field in dataclasses.fields(part)}
                if one.init and bare(kinds[one.name]) in (int, float) and not is_own:
                    yield name, one.name


def test_every_number_of_trls_has_bounds():
    assert {name for _, name in numbers_of_trl()} <= set(BOUNDS)


@pytest.mark.parametrize(("command", "name"), list(numbers_of_trl()))
def test_a_number_of_trls_that_makes_no_sense_is_refused_by_name(parsers, command, name):
    for bad in ("nan", "-inf", "many", *(["-7"] if name != "entropy_coef" else []), *["0"][: BOUNDS[name].least == 1]):
        with pytest.raises(ConfigError, match=name):
            parsers[command].parse_known_args([f"--{name}={bad}"])


def test_a_number_of_trls_is_refused_whole_command_and_all(read, tmp_path):
    with pytest.raises(ConfigError, match="gradient_accumulation_steps is 0; wanted: a number, at least 1"):
        read("grpo", "--gradient_accumulation_steps", "0")
    (tmp_path / "recipe.yaml").write_text("learning_rate: .nan\n")
    with pytest.raises(ConfigError, match="line 1, column 16: learning_rate is nan; wanted: a number"):
        read("sft", "--config", str(tmp_path / "recipe.yaml"))


@pytest.mark.parametrize("name", COMMANDS)
def test_all_flags_are_shown_on_request_without_the_refused_ones(name, capsys):
    command, classes, _ = COMMANDS[name]
    with pytest.raises(SystemExit):
        parsed(classes, ["--help-all"], command)
    shown = capsys.readouterr().out
    words = [word.strip(",[]") for word in shown.split()]
    assert all(f"--{one}" in words for one in command.trl_names() - set(command.refused))
    assert not any(line.lstrip().startswith(f"--{one} ") for line in shown.splitlines() for one in command.refused)


def test_a_word_that_belongs_to_no_flag_is_refused(read):
    with pytest.raises(UsageError, match="unexpected 'tiny-base'"):
        checked(["tiny-base"], GRPO)
    with pytest.raises(UsageError, match="unexpected 'more'"):
        read("grpo", "--output_dir", "out", "more")

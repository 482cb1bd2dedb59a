import shlex
from dataclasses import dataclass, field

import pytest

from agents.config.arguments import command_line, parse
from agents.config.names import DialectName
from pixel_env.errors import ConfigError, UnknownNameError, UsageError


@dataclass(frozen=True)
class Config:
    """A configuration."""

    name: str = field(default="one", metadata={"help": "a name"})
    task_count: int | None = field(default=None, metadata={"help": "a number"})
    rate: float = field(default=1.0, metadata={"help": "a rate in %"})
    quick: bool = field(default=False, metadata={"help": "a switch"})
    kinds: tuple[str, ...] = field(default=("a", "b"), metadata={"help": "several"})


def test_flags_come_before_the_file_and_the_file_before_the_defaults(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("name: two\nrate: 3e-4\nkinds: [c]\n")
    config = parse(["--config", str(file), "--name", "three", "--task-count", "5", "--quick"], Config, "test")
    assert config == Config("three", 5, 3e-4, True, ("c",))


def test_a_field_may_keep_an_older_name_than_its_flag(capsys):
    for flag in ("--limit", "--task_count", "--task-count"):
        assert parse([flag, "5"], Config, "eval").task_count == 5
    assert command_line(Config(task_count=5), "eval") == "pixel-env eval --limit 5"
    with pytest.raises(SystemExit):
        parse(["--help"], Config, "eval")
    shown = capsys.readouterr().out
    assert "--limit N" in shown and "task" not in shown


def test_a_switch_takes_a_value_too_and_a_word_that_is_none_is_not_taken_for_one():
    for words in (["--quick"], ["--quick", "true"], ["--quick=yes"]):
        assert parse(words, Config, "test").quick
    for words in (["--no_quick"], ["--no-quick"], ["--quick", "false"]):
        assert not parse(words, Config, "test").quick
    with pytest.raises(UsageError, match="--quick: got 'runs'; wanted: true or false"):
        parse(["--quick", "runs"], Config, "test")


def test_a_list_may_be_empty_and_a_switch_may_be_turned_off():
    assert parse(["--kinds", "--no-quick"], Config, "test") == Config(kinds=())


def test_a_misspelt_key_of_a_file_is_refused_with_the_closest_one(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("task_cuont: 5\n")
    with pytest.raises(ConfigError, match=r"task_cuont.*task_count"):
        parse(["--config", str(file)], Config, "test")


def test_settings_that_are_merged_from_another_part_of_the_file_count_too(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("<<: {name: two, rate: 2}\nrate: 3\n")
    assert parse(["--config", str(file)], Config, "test") == Config("two", rate=3.0)


@dataclass(frozen=True)
class Played:
    """How it is played."""

    dialect: DialectName = field(default="default", metadata={"help": "a dialect"})


def test_further_operations_become_part_of_the_name_of_the_dialect(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("dialect: qwen3-vl\noperations: [rotate]\n")
    named = ["--config", str(file)]
    assert parse(["--operations", "rotate", "flip"], Played, "test").dialect == "default+rotate+flip"
    assert parse(named, Played, "test").dialect == "qwen3-vl+rotate"
    assert parse([*named, "--operations", "flip"], Played, "test").dialect == "qwen3-vl+flip"
    assert parse([*named, "--operations", "--dialect", "default"], Played, "test").dialect == "default"
    with pytest.raises(UnknownNameError, match="Did you mean 'rotate'"):
        parse(["--operations", "rotat"], Played, "test")
    with pytest.raises(ConfigError, match="rotate"):
        parse(["--dialect", "tiny", "--operations", "rotate"], Played, "test")
    with pytest.raises(UsageError, match="there is no flag --operations"):
        parse(["--operations", "rotate"], Place, "test")


def test_a_value_of_the_wrong_type_is_refused_naming_the_key(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("quick: 1\n")
    with pytest.raises(ConfigError, match="quick"):
        parse(["--config", str(file)], Config, "test")


def test_help_shows_every_field_with_its_default(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"], Config, "test")
    shown = capsys.readouterr().out
    assert "a rate in % (default: 1.0)" in shown and "--task_count N" in shown


@dataclass(frozen=True)
class Place:
    """Where it goes."""

    out: str = field(default="here", metadata={"help": "a folder"})
    is_kept: bool = field(default=True, metadata={"help": "another switch"})


def test_two_classes_share_the_flags_and_the_file_and_both_come(tmp_path, capsys):
    file = tmp_path / "config.yaml"
    file.write_text("name: two\nout: there\n")
    given = ["--config", str(file), "--rate", "2"]
    assert parse(given, (Config, Place), "test") == (Config("two", rate=2.0), Place("there"))
    with pytest.raises(SystemExit):
        parse(["--help"], (Config, Place), "test")
    shown = capsys.readouterr().out
    assert "A configuration." in shown and "a folder (default: here)" in shown


def test_a_command_line_reads_as_the_configuration_that_it_was_written_for():
    config = Config("a b", 3, kinds=("c", "d"), quick=True)
    line = shlex.split(command_line(config, "test"))
    assert line[:2] == ["pixel-env", "test"] and parse(line[2:], Config, "test") == config
    assert command_line(Place(is_kept=False), "test") == "pixel-env test --no_is_kept"
    assert command_line(Place(), "test") == "pixel-env test"

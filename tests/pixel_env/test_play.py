"""A person plays in the terminal."""

import io

import pytest
from PIL import Image

from pixel_env.cli import main as cli
from pixel_env.play import main


@pytest.fixture
def play(tmp_path, monkeypatch, capsys):
    """Plays the given lines; returns the exit code and what was printed."""

    def run(*lines, arguments=("--tasks", "sample:vstar-tiny", "--seed", "0"), command=main):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))
        code = command([*arguments, "--out", str(tmp_path / "out")])
        return code, capsys.readouterr().out

    return run


def pictures(tmp_path, episode=1):
    return sorted(path.name for path in (tmp_path / "out" / f"episode-{episode:03}").iterdir())


def test_crops_are_written_to_a_folder_and_an_answer_ends_it(play, tmp_path):
    code, told = play("crop 1 0.5 0.5 1 1", "crop 2, 0, 0, 0.5, 0.5", "answer 7")
    assert code == 0 and "embedded sample set" in told and "The answer was" in told and "Ended: answered" in told
    assert pictures(tmp_path) == ["image-1.png", "image-2.png", "image-3.png", "overview.png"]
    assert Image.open(tmp_path / "out/episode-001/image-2.png").size == (112, 112)


def test_the_end_of_the_input_ends_it_cleanly(play):
    code, told = play("crop 1 0 0 1 1")
    assert code == 0 and told.endswith("Good-bye.\n")


def test_quit_ends_it(play):
    assert play("quit", "answer 7")[1].endswith("Good-bye.\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Commands:"),
        ("help", "Commands:"),
        ("zoom in", "unknown command 'zoom in'"),
        ("crop", "got 0 arguments"),
        ("crop 1 2 3", "got 3 arguments"),
        ("crop one 0 0 1 1", "could not convert"),
        ("crop 1 0 0 x 1", "could not convert"),
        ("crop 9 0 0 1 1", "there is no image 9; give a number from 1 to 1"),
        ("crop 0 0 0 1 1", "there is no image 0"),
        ("crop 1 0.5 0 0.2 1", "inverted"),
        ("crop 1 nan 0 1 1", "finite"),
        ("crop 1 0 0 100 100", "Coordinates are fractions from 0 to 1."),
        ("frames x", "could not convert"),
        ("answer", "unknown command"),
        ("say", "unknown command"),
        ("answer {", "cannot write the answer"),
    ],
)
def test_wrong_input_is_reported_and_costs_no_turn(play, line, said):
    arguments = ("--tasks", "sample:vstar-tiny", "--seed", "0", "--max-turns", "1")
    code, told = play(*[line] * 3, "answer left", arguments=arguments)
    assert code == 0 and said in told and "Ended: answered" in told


def test_in_a_dialect_of_few_words_the_same_commands_work(play, tmp_path):
    arguments = ("--tasks", "sample:vstar-tiny", "--dialect", "tiny")
    code, told = play("crop 1 0.5 0.5 0.75 0.75", "crop 2 0 0 1 1", "say hm", "answer 7", arguments=arguments)
    assert code == 0 and "can only crop the first image" in told and "Ended: answered" in told
    assert pictures(tmp_path) == ["image-1.png", "image-2.png", "overview.png"]


@pytest.mark.parametrize("dialect", ["default", "qwen2.5-vl", "qwen3-vl", "released"])
def test_every_dialect_can_be_played(play, dialect):
    code, told = play(
        "crop 1 0 0 0.5 0.5", "answer 7", arguments=("--dialect", dialect, "--tasks", "sample:vstar-tiny")
    )
    assert code == 0 and "image 2:" in told and "Ended: answered" in told


def test_a_turn_may_be_written_as_a_model_would(play):
    text = '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 1, 1], "target_image": 1}}</tool_call>'
    assert "image 2:" in play(f"say {text}")[1]


def test_a_refused_operation_is_reported_and_the_episode_continues(play):
    code, told = play("crop 1 0 0 0.001 0.001", "frames 1", "answer 7")
    assert "crop_too_small" in told and "not_a_video" in told and "Ended: answered" in told


def test_several_episodes_have_folders_of_their_own_and_nothing_is_overwritten(play, tmp_path):
    play("answer 1", "answer 2", arguments=("--episodes", "2", "--tasks", "sample:vstar-tiny"))
    play("answer 3")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["episode-001", "episode-002", "episode-003"]


def test_a_task_can_be_chosen(play):
    arguments = ("--tasks", "sample:vstar-tiny", "--task-id", "vstar-tiny/test/0/000001-half")
    assert "left or the right half" in play(arguments=arguments)[1]


def test_a_misspelt_task_set_is_one_line_for_the_user(capsys):
    assert cli(["play", "--tasks", "sample:vstr"]) == 2
    assert "Did you mean 'vstar'" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli(["play", "--tasks", "sample:vstar-tiny", "--output_dir", str(tmp_path / "file")]) == 2
    assert "cannot be written: Not a directory. Give another --output_dir." in capsys.readouterr().err


def test_a_turn_as_a_model_writes_it_is_sent_as_it_is_and_operations_have_the_dialects_names_too(play):
    call = (
        '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0.5, 0.5, 1, 1], "target_image": 1}}</tool_call>'
    )
    code, printed = play(f"I zoom in. {call}", "crop_image 1 0 0 0.5 0.5", r"It is \boxed{7}.")
    assert code == 0 and "image 2:" in printed and "image 3:" in printed and "Ended: answered" in printed


def test_an_image_in_a_text_is_named_and_no_bare_sign(play):
    arguments = ("--dialect", "mini-o3", "--tasks", "sample:vstar-tiny")
    _, told = play("crop 0 0 0 1 1", "quit", arguments=arguments)
    assert "[image]" in told and "\ufffc" not in told

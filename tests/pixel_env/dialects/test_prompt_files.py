"""A prompt text of the user's own: the released code's, for one, which are not copied here."""

import pytest

from pixel_env.dialects.prompt_files import prompt_hash, read_prompt_file, with_prompt
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError
from pixel_env.testing import tiny_task

RELEASED = dialect_named("released")


def question_with(text, **task):
    env = PixelEnv([tiny_task(**task)], dialect=with_prompt(RELEASED, text))
    env.reset(seed=0)
    return env.trajectory.prompt.question


def test_the_text_follows_the_question_and_its_options_verbatim():
    text = "\n\n  Think {step} by step,\tand put the answer in \\boxed{}.  {0} }{ {{}}\n"
    asked = question_with(text, question="Which {one}?", options=("a", "b"))
    assert asked == f"Which {{one}}?\n(A) a\n(B) b{text}"


def test_the_question_goes_where_the_text_says():
    text = "Look at {question}. Again: {question}\n\\boxed{}"
    assert question_with(text, question="What?") == "Look at What?. Again: What?\n\\boxed{}"


def test_a_prompt_changes_the_words_of_the_question_and_nothing_else():
    worded = with_prompt(RELEASED, " Answer.")
    assert worded.wording.question == "{question} Answer."
    assert worded.wording.observations == RELEASED.wording.observations and worded.calls == RELEASED.calls
    assert (worded.name, worded.system, worded.shows_tools) == (RELEASED.name, RELEASED.system, RELEASED.shows_tools)


def test_a_file_is_read_to_its_last_character_and_named_by_its_bytes(tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_bytes("\r\nDenk nach – 数字\n".encode())
    assert read_prompt_file(file) == "\r\nDenk nach – 数字\n"
    assert prompt_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot be read: No such file.*Give"),
        (b" \n", "is empty.*leave it out"),
        ("Look at \ufffc.".encode(), "has the character U\\+FFFC, which stands for images"),
        (b"\xff\xfe", "not UTF-8.*Save"),
    ],
)
def test_a_file_that_cannot_be_a_prompt_is_refused_with_how_to_fix_it(tmp_path, content, message):
    file = tmp_path / "prompt.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"prompt\.txt.*{message}"):
        read_prompt_file(file)

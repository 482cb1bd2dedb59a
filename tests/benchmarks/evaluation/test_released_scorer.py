"""The released judge: its rules around a stub of math-verify, and its verdicts with the real one where it is there."""

import importlib.util
import re
import sys
import threading

import pytest

from benchmarks.evaluation.released_scorer import (
    RIGHT,
    UNREADABLE,
    WRONG,
    MathVerify,
    judged_text,
    load_math_verify,
    released_references,
    released_score,
    verdict,
)
from pixel_env.actions import write
from pixel_env.boxes import FULL
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.episode import IMAGE_SIGN
from pixel_env.errors import MissingExtraError, PixelEnvError
from pixel_env.grading.boxed import last_boxed
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import tiny_task
from pixel_env.types import Answer, Prompt, Text, Trajectory, Turn, Unfinished

needs_math_verify = pytest.mark.skipif(
    importlib.util.find_spec("math_verify") is None, reason="math-verify is not installed"
)


def read(text):
    """A box's content, else the last number, as math-verify finds them; nothing in plain prose."""
    if "broken" in text:
        raise ValueError(text)
    boxed, numbers = last_boxed(text), re.findall(r"\d+", text)
    return [boxed.strip("(){}")] if boxed else numbers[-1:]


STUB = MathVerify(read, lambda first, second: first == second)


def played(*turns, answers=("7",), **fields):
    """The trajectory of these turns in the released dialect."""
    env = PixelEnv([tiny_task(answers=answers, **fields)], dialect=dialect_named("released"))
    env.reset(seed=0)
    for turn in turns:
        env.step(turn)
    return env.trajectory


CALL = write(CropImage(0, FULL), dialect_named("released"))


@pytest.mark.parametrize(
    ("solution", "references", "said"),
    [
        (r"so \boxed{7}", [r"\boxed{7}"], RIGHT),
        (r"so \boxed{8}", [r"\boxed{7}"], WRONG),
        (r"so \boxed{A}", [r"\boxed{a}"], RIGHT),
        (r"\boxed{8} \boxed{7}", [r"\boxed{7}"], RIGHT),
        ("<answer>lion</answer>", [r"\boxed{lion}"], RIGHT),
        ("it is 7", [r"\boxed{7}"], RIGHT),
        ("the answer is lion", [r"\boxed{lion}"], UNREADABLE),
        ("", [r"\boxed{7}"], UNREADABLE),
        (r"\boxed{broken}", [r"\boxed{7}"], UNREADABLE),
        (r"\boxed{7}", [r"\boxed{broken}"], UNREADABLE),
        (r"\boxed{7}", ["7"], RIGHT),
        (r"\boxed{7}", [r"\boxed{8}", r"\boxed{7}"], RIGHT),
        (r"\boxed{7}", [r"\boxed{broken}", r"\boxed{8}"], WRONG),
        (r"\boxed{12}", [r"\boxed{12%}"], RIGHT),
        (r"\boxed{\text{lion}}", [r"\boxed{lion}"], RIGHT),
        (r"\boxed{5cm}", [r"\boxed{5}"], RIGHT),
        (r"\boxed{the siege and troubles}", [r"\boxed{troubles, the siege}"], RIGHT),
        (r"\boxed{troubles}", [r"\boxed{troubles, the siege}"], WRONG),
        ("troubles, the siege", [r"\boxed{troubles, the siege}"], UNREADABLE),
        (r"\boxed{10001}", [r"\boxed{1,000}"], RIGHT),
    ],
)
def test_the_rules_around_math_verify_are_the_released_ones(solution, references, said):
    assert verdict(solution, references, STUB) == said


def test_all_turns_and_observations_are_judged():
    trajectory = played(CALL, "I cannot tell.", answers=("280",))
    assert trajectory.reward == 0.0 and "Image Size: " in trajectory.turns[0].observation
    shown = re.findall(r"\d+", trajectory.turns[0].observation)[-1]
    assert released_score(played(CALL, "I cannot tell.", answers=(shown,)), STUB) == 1.0


def test_the_judged_text_is_the_conversation_behind_the_first_header():
    trajectory = played(CALL, r"\boxed{7}")
    observation = trajectory.turns[0].observation
    assert judged_text(trajectory) == (
        f"{CALL}<|im_end|>\n<|im_start|>user\n{observation.removesuffix(IMAGE_SIGN)}"
        "<|vision_start|><|vision_end|><|im_end|>\n"
        r"\boxed{7}<|im_end|>"
    )


def test_what_a_token_limit_cut_is_judged_as_one_message():
    turns = (Turn(Unfinished(r"so \boxed{"), Text(""), None, ""), Turn("7}", Answer("7"), None, ""))
    trajectory = Trajectory(tiny_task(), Prompt("", ""), (), turns)
    assert judged_text(trajectory) == r"so \boxed{7}<|im_end|>" and released_score(trajectory, STUB) == 1.0


def test_an_episode_without_a_turn_is_wrong():
    assert released_score(Trajectory(tiny_task(), Prompt("", ""), ()), STUB) == 0.0


def test_the_reference_of_a_choice_is_the_letter_that_was_shown():
    task = tiny_task(answers=("blue",), options=("red", "blue"), grader="choice")
    assert released_references(task) == [r"\boxed{B}"]
    assert released_references(tiny_task(answers=(r"\boxed{7}", "8"))) == [r"\boxed{7}", r"\boxed{8}"]
    fields = {"options": ("red", "blue"), "grader": "choice"}
    assert released_score(played(r"\boxed{(B)}", answers=("blue",), **fields), STUB) == 1.0
    assert released_score(played(r"\boxed{blue}", answers=("blue",), **fields), STUB) == 0.0


def test_without_math_verify_the_error_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "math_verify", None)
    with pytest.raises(MissingExtraError, match=r"--scorer released needs .*pip install 'pixel-env\[released\]'"):
        load_math_verify()


@needs_math_verify
@pytest.mark.parametrize(
    ("solution", "reference", "said"),
    [
        (r"\boxed{a}", r"\boxed{A}", RIGHT),
        (r"\boxed{(a)}", r"\boxed{A}", RIGHT),
        (r"\boxed{a. lion}", r"\boxed{A}", WRONG),
        (r"\boxed{lino}", r"\boxed{lion}", RIGHT),
        (r"\boxed{12%}", r"\boxed{12}", RIGHT),
        ("(Image Size: 812x300): I cannot tell", r"\boxed{812}", RIGHT),
        (r"\boxed{4} so the final answer is 5", r"\boxed{4}", WRONG),
        ("the answer is lion", r"\boxed{lion}", UNREADABLE),
        (r"\boxed{2000, 1}", r"\boxed{1,000}", RIGHT),
    ],
)
def test_with_math_verify_the_verdicts_are_those_of_the_released_code(solution, reference, said):
    assert verdict(solution, [reference], load_math_verify()) == said


@needs_math_verify
def test_in_another_thread_the_judge_refuses_instead_of_calling_everything_wrong():
    caught = []

    def judge():
        try:
            verdict(r"\boxed{7}", [r"\boxed{7}"], load_math_verify())
        except PixelEnvError as error:
            caught.append(str(error))

    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
    assert len(caught) == 1 and "main thread" in caught[0]

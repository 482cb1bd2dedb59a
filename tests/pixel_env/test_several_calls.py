"""Several calls in one turn, where images stand in a message, and the texts of a dialect's wording."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pixel_env.boxes import FULL, Box
from pixel_env.dialects import DIALECTS, ImageNames, Wording
from pixel_env.env import PixelEnv
from pixel_env.episode import IMAGE_SIGN, message_parts, observed
from pixel_env.interventions import blank, random_position, withheld
from pixel_env.operations.crop_image import CropImage
from pixel_env.store import row_of, trajectory_of
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Limits, Stop, Unfinished

DEFAULT, RELEASED = DIALECTS["default"], DIALECTS["released"]
ALL = replace(DEFAULT, name="all", several_calls="all", max_calls=4)
S = IMAGE_SIGN


def call(image=1, box=(0.25, 0.25, 0.75, 0.75), name="crop_image"):
    arguments = {"bbox_2d": list(box), "target_image": image}
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def opened(task=None, **options):
    env = PixelEnv([task or tiny_task(sources=(PixelSource(560, 560),))], **{"dialect": ALL, **options})
    env.reset(seed=0)
    return env


def worded(dialect=DEFAULT, **texts):
    return replace(dialect, wording=replace(dialect.wording, **{"requests": {}, **texts}))


LEFT, RIGHT = (0, 0, 0.5, 1), (0.5, 0, 1, 1)
TWO_CROPS_AND_A_REFUSED_CALL = call(box=LEFT) + call(image=9) + call(box=RIGHT)

# ------------------------------------------------------------------------------------------- several calls in a turn


def test_the_calls_of_a_turn_come_back_in_order_with_their_numbers():
    env = opened()
    observation, reward, terminated, truncated, info = env.step(TWO_CROPS_AND_A_REFUSED_CALL)
    first, second = observation["images"]
    assert (first[0, 0, 0], second[0, 0, 0]) == (0, 280 % 256)
    lines = observation["text"].split("\n")
    assert lines[0].startswith(f"{S}Here is the cropped image (image 2, ")
    assert lines[1].startswith("Error (no_such_image)")
    assert lines[2].startswith(f"{S}Here is the cropped image (image 3, ")
    assert info["failure"].code == "no_such_image" and info["action"] == CropImage(0, Box(*LEFT))
    assert (reward, terminated, truncated) == (0.0, False, False)


def test_a_turn_with_several_calls_is_one_message_of_several_steps():
    env = opened()
    observation, *_ = env.step(TWO_CROPS_AND_A_REFUSED_CALL)
    env.step(call(image=3))
    trajectory = env.trajectory
    assert [len(message) for message in trajectory.messages] == [3, 1]
    assert [turn.text for turn in trajectory.turns] == [TWO_CROPS_AND_A_REFUSED_CALL, "", "", call(image=3)]
    assert (trajectory.operations, trajectory.valid_operations) == (4, 3)
    assert trajectory.executed == (True, False, True, True)
    text, views = observed(trajectory.messages[0])
    assert text == observation["text"] and views == trajectory.views[1:3]
    assert trajectory.views[3].box == Box(0.5 + 0.125, 0.25, 0.5 + 0.375, 0.75)  # of the right half, image 3


def test_all_calls_of_a_turn_act_on_the_images_before_it():
    env = opened()
    observation, *_, info = env.step(call() + call(image=2))
    assert info["failure"].code == "no_such_image" and len(observation["images"]) == 1


def test_a_source_that_cannot_be_read_refuses_its_own_call_alone(monkeypatch):
    env = opened(tiny_task(sources=(PixelSource(560, 560), PixelSource(560, 560, 1))))
    [first, _] = env.trajectory.prompt_views
    env._trajectory = replace(env.trajectory, prompt_views=(first, replace(first, source=BrokenSource())))
    observation, *_, info = env.step(call(image=1) + call(image=2) + call(image=1))
    assert info["failure"].code == "unreadable_source" and len(observation["images"]) == 2


def test_turns_are_messages_and_each_call_counts_as_an_operation():
    env = opened(limits=Limits(max_turns=2))
    assert env.step(TWO_CROPS_AND_A_REFUSED_CALL)[3] is False
    observation, _, terminated, truncated, info = env.step(call() + call())
    assert (terminated, truncated, info["stop"]) == (False, True, Stop.TURNS)
    assert len(observation["images"]) == 2 and env.trajectory.operations == 5
    assert trajectory_of(row_of(env.trajectory), env.trajectory.task) == env.trajectory


@pytest.mark.parametrize("limits", [Limits(max_images=2), Limits(max_tokens=1000)])
def test_a_turn_that_exceeds_a_budget_in_the_middle_shows_nothing_and_all_its_calls_are_spent(limits):
    env = opened(limits=limits)
    observation, _, _, truncated, info = env.step(TWO_CROPS_AND_A_REFUSED_CALL)
    stop = Stop.IMAGES if limits.max_tokens is None else Stop.TOKENS
    assert truncated and info["stop"] is stop and observation["images"] == ()
    assert observation["text"].startswith("The episode ended") and "\n" not in observation["text"]
    assert env.trajectory.operations == 3 and env.trajectory.valid_operations == 0
    assert env.trajectory.stop is stop and len(env.trajectory.messages) == 1
    assert trajectory_of(row_of(env.trajectory), env.trajectory.task) == env.trajectory


def test_stored_rows_keep_which_steps_are_of_one_message():
    env = opened()
    env.step(TWO_CROPS_AND_A_REFUSED_CALL)
    env.step("\\boxed{7}")
    row = row_of(env.trajectory)
    assert [turn.get("same_message", False) for turn in row["turns"]] == [False, True, True, False]
    assert trajectory_of(json.loads(json.dumps(row)), env.trajectory.task) == env.trajectory


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_an_episode_is_rendered(mode):
    env = opened(render_mode=mode, dialect=worded(ALL, observations={"crop_image": "See {images} closely."}))
    env.step(TWO_CROPS_AND_A_REFUSED_CALL)
    rendered = env.render()
    if mode == "rgb_array":
        assert rendered.shape == (640, 1120, 3)
        return
    assert rendered.count("\n> ") == 1 and S not in rendered
    assert rendered.count("See [image] closely.") == 2 and rendered.count("<image") == 3


def test_random_positions_of_one_turn_differ_and_an_intervention_sees_each_call():
    env = opened(intervention=random_position(0))
    env.step(call(box=(0, 0, 0.25, 0.25)) * 3)
    assert len({turn.views[0].box for turn in env.trajectory.turns}) == 3
    env = opened(intervention=blank)
    images = env.step(call() + call())[0]["images"]
    assert len(images) == 2 and all((image == 128).all() for image in images)


# ------------------------------------------------------------------------------------------- where the images stand


def parts(observation):
    return message_parts(observation["text"], len(observation["images"]))


def test_without_a_slot_images_come_before_the_text_and_with_one_where_it_stands():
    env = opened(dialect=DEFAULT)
    assert parts(env.step(call())[0])[0] is None
    env = opened(dialect=worded(observations={"crop_image": "Closer:{images}What now?"}))
    assert parts(env.step(call())[0]) == ["Closer:", None, "What now?"]


def test_the_prompt_and_the_observation_place_their_images_independently():
    two = tiny_task(sources=(PixelSource(560, 560), PixelSource(560, 560, 1)))
    env = PixelEnv([two], dialect=worded(question="Given {images}: {question}"))
    observation, _ = env.reset(seed=0)
    assert message_parts(env.trajectory.prompt.question, 2) == ["Given ", None, None, f": {two.question}"]
    assert parts(env.step(call())[0])[0] is None
    env = PixelEnv([two], dialect=RELEASED)
    env.reset(seed=0)
    assert message_parts(env.trajectory.prompt.question, 2)[:2] == [None, None]
    assert parts(env.step(call(name="crop_image_normalized"))[0])[-1] is None


def test_each_image_may_have_a_text_of_its_own():
    dialect = worded(
        observations={"select_frames": "{images}\nframes {first} to {last}"},
        image="frame {number} ({width}x{height}): {image}",
        separator="; ",
    )
    env = opened(tiny_video_task(), dialect=dialect)
    frames = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [3, 9]}}</tool_call>'
    observation, *_ = env.step(frames)
    height, width, _ = observation["images"][0].shape
    size = f"({width}x{height})"
    assert observation["text"] == f"frame 17 {size}: {S}; frame 18 {size}: {S}\nframes 17 to 18"


def test_names_and_sizes_of_images_stand_in_the_prompt():
    dialect = worded(question="{width}x{height} of {source_width}x{source_height}: {question}")
    env = opened(tiny_task(sources=(PixelSource(300, 200),)), dialect=dialect)
    height, width, _ = env.reset(seed=0)[0]["images"][0].shape
    assert env.trajectory.prompt.question.startswith(f"{width}x{height} of 300x200: ")
    text_only = tiny_task(sources=(), media="text", evidence=())
    assert opened(text_only, dialect=dialect).trajectory.prompt.question.startswith("0x0 of 0x0: ")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("{question} Now.", "Which?\n(A) red\n(B) blue Now."),
        ("{options}\n{question}", "(A) red\n(B) blue\nWhich?"),
    ],
)
def test_options_follow_the_question_unless_they_have_a_place_of_their_own(question, expected):
    task = tiny_task(question="Which?", options=("red", "blue"))
    assert opened(task, dialect=worded(question=question)).trajectory.prompt.question == expected
    lettered = worded(question=question, option="{letter}. {text}")
    assert "A. red\nB. blue" in opened(task, dialect=lettered).trajectory.prompt.question


def test_texts_may_count_the_calls_and_repeat_the_question():
    dialect = worded(
        ALL,
        observations={"crop_image": "after {call} calls: {question}"},
        failure="{call}: {code}: {question}",
        expected="say more on: {question}",
    )
    env = opened(dialect=dialect, limits=Limits(9))
    question = env.trajectory.task.question
    texts = env.step(TWO_CROPS_AND_A_REFUSED_CALL)[0]["text"].split("\n")
    assert texts == [f"{S}after 0 calls: {question}", f"1: no_such_image: {question}", f"{S}after 2 calls: {question}"]
    assert env.step("hm")[0]["text"] == f"say more on: {question}"
    assert env.step(call())[0]["text"] == f"after 3 calls: {question}"


def test_a_sign_of_images_in_a_question_or_a_call_stands_for_no_image():
    task = tiny_task(question=f"Which {S} digit?", options=(f"re{S}d", "blue"))
    env = opened(task, dialect=worded(question="{images}{question}"))
    assert message_parts(env.trajectory.prompt.question, 1) == [None, "Which  digit?\n(A) red\n(B) blue"]
    observation, *_ = env.step(call().replace("target_image", S))
    assert observation["text"].count(S) == 0 and "It has no ''" in observation["text"]


@pytest.mark.parametrize("dialect", [RELEASED, worded(ALL, observations={"crop_image": "See {images}."})])
def test_an_observation_whose_image_is_withheld_has_no_sign_of_it(dialect):
    env = opened(dialect=dialect, intervention=withheld)
    observation, *_ = env.step(call(name=dialect.name_of(CropImage)))
    assert observation["images"] == () and parts(observation) == [observation["text"]]


def test_a_text_whose_signs_are_not_one_for_each_image_is_an_error():
    assert message_parts(f"a{S}b{S}", 2) == ["a", None, "b", None]
    with pytest.raises(ValueError, match="1 image signs for 2 images"):
        message_parts(f"a{S}b", 2)


# -------------------------------------------------------------------------------------------------- the last turn


def test_the_observation_before_the_last_turn_asks_for_the_answer():
    dialect = worded(last_turn="\nAnswer now: {question}")
    env = opened(dialect=dialect, limits=Limits(max_turns=3))
    question = env.trajectory.task.question
    assert "Answer now" not in env.step(call())[0]["text"]
    assert env.step(call())[0]["text"].endswith(f"\nAnswer now: {question}")
    assert "Answer now" not in env.step(call())[0]["text"]


def test_a_turn_that_was_cut_is_continued_without_a_word_in_between():
    env = opened(dialect=worded(last_turn="\nAnswer now."), limits=Limits(max_turns=2))
    assert env.step(Unfinished("It is \\boxed{"))[0] == {"text": "", "images": ()}
    assert env.step("7}")[1:3] == (1.0, True)


def test_the_text_before_the_last_turn_counts_among_the_tokens():
    def counted(**texts):
        spent = []

        def count(text, sizes):
            spent.append(text)
            return 1

        env = opened(dialect=worded(**texts), limits=Limits(max_turns=2, max_tokens=100), count_tokens=count)
        env.step("hm")
        return spent

    assert counted(last_turn=" Answer now.")[-1].endswith("Answer now.")


def test_a_turn_may_be_begun_for_the_model_and_the_last_one_otherwise():
    dialect = replace(DEFAULT, prefill="<think>", last_prefill="<think></think>")
    env = opened(dialect=dialect, limits=Limits(max_turns=2))
    assert env.prefill == "<think>"
    env.step("<think>I look.</think>" + call())
    assert env.prefill == "<think></think>"
    assert opened(dialect=replace(dialect, last_prefill=""), limits=Limits(max_turns=1)).prefill == "<think>"


def test_a_wording_has_texts_for_a_question_without_images():
    dialect = replace(worded(question="{images}{question}"), image_names=ImageNames("img_{number}"))
    text_only = tiny_task(sources=(), media="text", evidence=())
    env = opened(text_only, dialect=dialect)
    assert message_parts(env.trajectory.prompt.question, 0) == [text_only.question]
    assert env.step(call(image="img_1"))[4]["failure"].code == "no_such_image"


def test_a_whole_image_and_a_crop_of_several_images_keep_their_pixels():
    env = opened()
    observation, *_ = env.step(call(box=FULL.corners) + call(box=RIGHT))
    whole, right = observation["images"]
    assert whole.shape == (560, 560, 3) and np.array_equal(right, whole[:, 280:])


def test_the_default_wording_has_no_slot_and_that_of_images_is_the_image_alone():
    assert Wording().image == "{image}" and not DEFAULT.interleaves and ALL.interleaves and RELEASED.interleaves

"""The data of a page: a turn with several calls, and images that stand between texts."""

from dataclasses import replace

from agents.grpo.rows import messages_of
from benchmarks.ask.command import episode_lines
from benchmarks.evaluation.records import Record
from benchmarks.view.images import ImageList
from benchmarks.view.rows import Rows, Run
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS
from pixel_env.env import PixelEnv
from pixel_env.episode import IMAGE_SIGN
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import tiny_task
from rewards.shaping import paper

BASE = DIALECTS["default"]
WORDING = replace(BASE.wording, question="{images}: {question}", observations={"crop_image": "Closer {images}."})
DIALECT = replace(BASE, several_calls="all", wording=WORDING)
CALLS = "".join(write(CropImage(0, box), DIALECT) for box in (Box(0, 0, 0.5, 0.5), Box(0.5, 0.5, 1, 1)))


def played():
    env = PixelEnv([tiny_task()], dialect=DIALECT)
    env.reset(seed=0)
    env.step(CALLS)
    env.step("\\boxed{7}")
    return env


def test_a_step_of_the_same_message_is_marked_and_images_are_named_in_texts():
    env = played()
    data = Rows(ImageList(), paper).of([Run("a", [Record(env.trajectory, "model", None)], env.budgets)])
    [row] = data["trajectories"]
    assert [turn["same"] for turn in row["turns"]] == [False, True, False]
    assert [len(turn["looks"]) for turn in row["turns"]] == [1, 1, 0]
    assert row["turns"][0]["observation"] == "Closer [image]." and row["turns"][1]["text"] == ""
    assert data["texts"][row["prompt"][1]].startswith("[image]: ")


def test_a_turn_with_two_calls_is_printed_once():
    env = played()
    lines = list(episode_lines(env.trajectory, env.budgets))
    assert sum(line.startswith("Turn ") for line in lines) == 2
    assert sum(line.startswith("  crop image 1 at") for line in lines) == 2


def test_reward_functions_read_one_message_for_it():
    messages = messages_of(played().trajectory)
    assert [message["role"] for message in messages] == ["assistant", "user", "assistant"]
    assert messages[1]["content"] == f"Closer {IMAGE_SIGN}.\nCloser {IMAGE_SIGN}."

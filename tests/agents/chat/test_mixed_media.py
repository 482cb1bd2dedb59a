"""Questions about a text, an image and a video's frames, played in one batch."""

import json

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.failures import FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer, Limits, Stop

DIALECT = dialect_named("released:vcot:train-pixels")
CHAT = PlainChat(DIALECT)
CROP = write(CropImage(0, Box(0.25, 0.25, 0.75, 0.75)), DIALECT)
ROWS = [
    {"question": "What is six times seven?", "answer": "42"},
    {"question": "Which colour is the card?", "image": "card.png", "answer": "red"},
    {"question": "In which frame is the light on?", "frames": [f"clip/{i:02}.png" for i in range(16)], "answer": "9"},
]


@pytest.fixture
def tasks(tmp_path):
    (tmp_path / "clip").mkdir()
    Image.new("RGB", (320, 240), "red").save(tmp_path / "card.png")
    for i in range(16):
        Image.new("RGB", (84, 56), (15 * i, 0, 0)).save(tmp_path / "clip" / f"{i:02}.png")
    (tmp_path / "mixed.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return load_tasks(tmp_path / "mixed.jsonl").tasks


def played(tasks, look):
    """Each episode looks once, by what `look` says for its question, and then gives the right answer."""

    def script(conversation):
        row = next(row for row in ROWS if row["question"] in conversation.text)
        return look(row) if conversation.turn == 0 else write(Answer(row["answer"]), DIALECT)

    settings = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
    results = rollout(tasks, ScriptedEngine(script, CHAT), CHAT, settings=settings, sampling=Sampling(), seed=0)
    return [result.trajectory for result in results]


def first_frames(count):
    return write(SelectFrames(tuple(range(count))), DIALECT)


def test_texts_images_and_frames_are_played_in_one_batch_and_each_trajectory_knows_what_it_was_about(tasks):
    trajectories = played([*tasks, *tasks], lambda row: first_frames(8) if "frames" in row else CROP)
    assert [trajectory.task.media for trajectory in trajectories] == ["text", "image", "video"] * 2
    assert all((trajectory.stop, trajectory.reward) == (Stop.ANSWERED, 1.0) for trajectory in trajectories)
    assert [len(trajectory.prompt_views) for trajectory in trajectories[:3]] == [0, 1, 16]
    assert [len(trajectory.turns[0].views) for trajectory in trajectories[:3]] == [0, 1, 8]
    assert [trajectory.valid_operations for trajectory in trajectories[:3]] == [0, 1, 1]


def test_what_a_question_has_no_pictures_for_is_refused_by_code_and_can_still_be_answered(tasks):
    text, image, video = played(tasks, lambda row: CROP if "image" not in row and "frames" not in row else "?")
    assert [failure.code for failure in text.failures] == [FailureCode.NO_SUCH_IMAGE] and text.reward == 1.0
    assert (image.answer, video.answer) == ("?", "?")
    text, image, video = played(tasks, lambda row: first_frames(9 if "frames" in row else 1))
    codes = [trajectory.failures[0].code for trajectory in (text, image, video)]
    assert codes == [FailureCode.NOT_A_VIDEO, FailureCode.NOT_A_VIDEO, FailureCode.TOO_MANY_FRAMES]

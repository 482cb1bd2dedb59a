"""Conversations as questions: the first question with the images that it shows, and with no others."""

import pytest
from PIL import Image

from pixel_env.errors import TaskError
from pixel_env.tasks import load_tasks, read_path
from tests.pixel_env.tasks.published import film
from tests.written_files import as_lines

COLOURS = ("red", "blue", "lime")


def said(*texts):
    """Turns of a user and an assistant, one after the other."""
    return [{"from": ("human", "gpt")[number % 2], "value": text} for number, text in enumerate(texts)]


@pytest.fixture
def written(tmp_path):
    """Writes rows beside three pictures and a video; the path of the file."""
    for colour in COLOURS:
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"{colour}.png")
    film(tmp_path / "film.mp4")
    return lambda *rows: as_lines(tmp_path / "rows.jsonl", rows)


def shown(task):
    """The names of the pictures of a task, by their colours."""
    by_colour = {Image.new("RGB", (1, 1), colour).getpixel((0, 0)): colour for colour in COLOURS}
    return [by_colour[source.decode().getpixel((5, 5))] for source in task.sources]


PART = {"type": "image", "image": "blue.png"}
ASKED = {"type": "text", "text": "What colour?"}
ANSWERED = {"role": "assistant", "content": [{"type": "text", "text": "It is one"}]}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"conversations": said("<image>\nWhat colour?", "one"), "image": "red.png"}, ["red"]),
        ({"conversations": said("What colour?", "one"), "image": "red.png"}, ["red"]),
        ({"conversations": said("What colour?", "one")}, []),
        ({"conversations": said("<image><image>Same?", "no"), "images": ["red.png", "blue.png"]}, ["red", "blue"]),
        ({"conversations": said("<image>Look?", "one", "<image>", "two"), "images": ["red.png", "blue.png"]}, ["red"]),
        ({"conversations": said("Hello?", "one", "<image>What?", "two"), "images": ["red.png"]}, []),
        ({"conversations": said("Picture 1: <img>red.png</img>\nWhat colour?", "one")}, ["red"]),
        (
            {"conversations": said("<img>red.png</img><img>lime.png</img>Same?", "no", "<img>blue.png</img>?", "no")},
            ["red", "lime"],
        ),
        ({"messages": [{"role": "user", "content": [PART, ASKED]}, ANSWERED]}, ["blue"]),
        ({"conversations": [{"role": "user", "content": [PART, ASKED]}, ANSWERED]}, ["blue"]),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}, ASKED]}, ANSWERED], "images": ["lime.png"]},
            ["lime"],
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "red.png"}}, ASKED],
                    },
                    ANSWERED,
                ]
            },
            ["red"],
        ),
    ],
)
def test_the_first_question_has_its_own_images_and_no_later_ones(written, row, expected):
    [task] = load_tasks(written(row), strict=True).tasks
    assert shown(task) == expected and task.media == ("image" if expected else "text")
    assert "<im" not in task.question and "Picture" not in task.question


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": said("<video>What happens?", "one"), "videos": ["film.mp4"]},
        {"conversations": said("<image>What happens?", "one"), "video": "film.mp4"},
    ],
)
def test_a_video_is_shown_as_its_frames(written, row):
    [task] = load_tasks(written(row), strict=True).tasks
    assert task.media == "video" and len(task.sources) > 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"conversations": said("<image>What?", "one")}, "the row has 0 images"),
        ({"conversations": said("<image>What?", "one"), "images": ["red.png", "blue.png"]}, "the row has 2 images"),
        ({"conversations": said("<img>red.png</img>What?", "one"), "image": "blue.png"}, "one of the two ways"),
        ({"conversations": said("<img>https://a.b/c.png</img>What?", "one")}, "download the file"),
        ({"conversations": said("<img>../red.png</img>What?", "one")}, "red.png"),
        ({"conversations": said("<video>What?", "one"), "image": "red.png"}, "'videos' must hold"),
        ({"conversations": said("<image>What?", "I zoom. <tool_call>{}</tool_call>"), "image": "red.png"}, "convert"),
        ({"conversations": said("<image>What?", "<grounding>{}</grounding>"), "image": "red.png"}, "convert"),
    ],
)
def test_what_cannot_be_told_is_a_bad_row_and_never_a_question_without_its_image(written, row, reason):
    [problem] = read_path(written(row)).problems
    assert reason in problem.reason
    with pytest.raises(TaskError, match="1 bad row"):
        load_tasks(written(row))

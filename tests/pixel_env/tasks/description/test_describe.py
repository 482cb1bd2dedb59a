"""`pixel-env data describe`: what a set holds is counted right, on one line each, also of hostile and large sets."""

import re
import weakref
from dataclasses import dataclass

import pytest
from PIL import Image

from pixel_env import cli
from pixel_env.boxes import Box
from pixel_env.dialects import dialect_named
from pixel_env.errors import MediaError
from pixel_env.lazy_sequence import LazySequence
from pixel_env.media import CACHE, FileSource
from pixel_env.task import Evidence, Task, TaskSet, Variant
from pixel_env.tasks.description.facts import described
from pixel_env.tasks.description.repeats import repeats_of
from pixel_env.tasks.description.sampling import positions
from pixel_env.tasks.description.task_facts import facts_of
from pixel_env.tasks.description.words import lines_of
from pixel_env.tasks.files.clips import clip_frames
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from tests.paths import ROOT
from tests.pixel_env.tasks.published import PUBLISHED, film
from tests.written_files import as_lines

DEFAULT = dialect_named("default")


def lines(*tasks, most=200):
    """The lines about these tasks, by what they are about."""
    description = described(TaskSet("mine", tasks), None, DEFAULT.budgets, most)
    pairs = [line.strip().partition(": ") for line in lines_of(description, "default")]
    return {name: text for name, _, text in pairs}


def repeats(tasks, **bounds):
    return repeats_of([facts_of(task) for task in tasks], **bounds)


def run(capsys, *arguments):
    code = cli.main(["data", "describe", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def written(folder, *rows, size=(320, 240)):
    """A file of own tasks with these rows; each has a.png unless it says otherwise."""
    Image.new("RGB", size, "white").save(folder / "a.png")
    full = [{"question": f"What {number}?", "image": "a.png", "answer": "x", **row} for number, row in enumerate(rows)]
    return as_lines(folder / "mine.jsonl", full)


# ---------------------------------------------------------------------------------------------------------- counting


def test_media_graders_and_categories_are_counted():
    told = lines(
        tiny_task("a", category="left"),
        tiny_task("b", category="right", grader="number"),
        tiny_task("c", sources=(), media="text", evidence=(), category="right", grader="number"),
        tiny_video_task(),
    )
    assert told["mine"] == "4 tasks" and told["media"] == "image 2, text 1, video 1"
    assert told["graded by"] == "exact 2, number 2" and told["categories"] == "right 2, left 1"


def test_sizes_are_real_ones_ordered_by_area_and_a_sample_is_named_as_one():
    sources = [PixelSource(10 * side, 20) for side in range(1, 10)]
    tasks = [tiny_task(str(number), sources=(source,), evidence=()) for number, source in enumerate(sources)]
    assert lines(*tasks)["images"] == "9, 1 a task; 10x20 to 90x20 (median 50x20)"
    assert lines(*tasks, most=3)["images"].endswith("10x20 to 90x20 (median 50x20) (of 3 spread over the set)")


def test_a_photograph_is_measured_upright_from_its_header(tmp_path, capsys):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 100)).save(tmp_path / "turned.jpg", exif=exif)
    path = as_lines(tmp_path / "mine.jsonl", [{"question": "What?", "image": "turned.jpg", "answer": "x"}])
    assert "images: 1, 1 a task; 100x300\n" in run(capsys, path)[1]


def test_options_are_counted_and_the_right_letter_is_found_by_letter_and_by_text():
    four = ("red", "blue", "green", "grey")
    told = lines(
        tiny_task("a", options=four, answers=("B",), grader="choice"),
        tiny_task("b", options=four, answers=("blue",), grader="choice"),
        tiny_task("c", options=four[:2], answers=("A",), grader="choice"),
        tiny_task("d", options=four, answers=("pink",), grader="choice"),
        tiny_task("e", options=four, answers=(), grader="choice"),
        tiny_task("f"),
    )
    assert told["options"] == "2 in 1 task, 4 in 4 tasks, none in 1"
    assert told["right option"] == "A 1, B 2; always B would be right in 67%"
    assert told["right option unknown"] == "2 tasks" and told["without an answer"] == "1 task"


def test_evidence_is_measured_as_the_dialect_shows_it():
    image = PixelSource(280, 280)  # enlarged to the least that is shown, 448x448
    small = Evidence(0, Box(0.0, 0.0, 0.1, 0.025))
    told = lines(
        tiny_task("a", sources=(image,), evidence=(small,)),
        tiny_task("b", sources=(image,), evidence=(Evidence(0, Box(0, 0, 0.5, 0.5)), Evidence(7, Box(0, 0, 1, 1)))),
        tiny_task("c", evidence=()),
    )
    assert told["evidence"] == (
        "2 of 3 tasks, 3 boxes; area 0.25% to 100.00% (median 25.00%) of the image; "
        "shorter side as default shows it: 11 to 224 (median 224) px, below 28 px (a token) in 1 of 2; "
        "1 on an image that the task does not have"
    )


def test_whether_a_crop_is_needed_is_told_where_it_is_known():
    told = lines(tiny_task("a", needs_looking=True), tiny_task("b", needs_looking=False), tiny_task("c"))
    assert told["a crop or frames"] == "needed for 1, not needed for 1, unknown for 1"
    assert "a crop or frames" not in lines(tiny_task())


def test_the_lengths_of_video_files_are_told(tmp_path):
    films = [clip_frames(film(tmp_path / f"{frames}.mp4", frames), None, None) for frames in (20, 50)]
    told = lines(*[tiny_task(sources=frames, media="video", evidence=()) for frames in films])
    assert told["videos"].startswith("2, 16 frames a task; their size 64x48")
    assert told["lengths"] == "2.0 to 5.0 (median 5.0) s; 20 to 50 (median 50) frames"


# --------------------------------------------------------------------------------------------------------- repetition


def test_images_are_the_same_by_content_and_questions_by_words_and_images(tmp_path):
    for name, shade in (("a", 0), ("copy", 0), ("other", 9)):
        Image.new("RGB", (40, 40), (shade,) * 3).save(tmp_path / f"{name}.bmp")  # of one size in bytes
    a, copy, other = (FileSource(tmp_path / f"{name}.bmp") for name in ("a", "copy", "other"))
    tasks = [
        tiny_task("one", question="What is  it?", sources=(a,), answers=("cat",)),
        tiny_task("two", question="what is it?", sources=(copy,), answers=("dog", "a cat")),
        tiny_task("three", question="What is it?", sources=(other,)),
        tiny_task("four", question="Where?", sources=(other, a)),
    ]
    found = repeats(tasks)
    assert (found.images, found.image_tasks) == (2, 4) and (found.questions, found.question_tasks) == (1, 2)
    assert found.contradictions == (("one", "two"),)
    assert repeats(tasks, most=1).images == 2 and repeats(tasks, most=1).compared == 1  # `a` and `other` by name
    assert "the first 1 of 3 compared by content" not in lines(*tasks)["repeated"]


def test_the_same_question_with_its_options_in_another_order_is_no_contradiction():
    tasks = [
        tiny_task("one", options=("cat", "dog"), answers=("A",), grader="choice"),
        tiny_task("two", options=("dog", "cat"), answers=("B",), grader="choice"),
        tiny_task("three", options=("dog", "cat"), answers=(), grader="choice"),
    ]
    assert repeats(tasks).contradictions == () and repeats(tasks).question_tasks == 3
    assert repeats([*tasks, tiny_task("four", answers=("fish",))]).contradictions == (("one", "four"),)


def test_ids_that_occur_again_are_counted_whether_or_not_a_reader_renamed_them():
    assert repeats([tiny_task("a"), tiny_task("a"), tiny_task("a#2"), tiny_task("b#2")]).ids == 2


# ---------------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize("form", PUBLISHED)
def test_every_published_form_is_described(form, tmp_path, capsys):
    code, told, _ = run(capsys, PUBLISHED[form](tmp_path))
    assert code == 0 and " of the format " in told and "graded by: " in told and "repeated: " in told


@pytest.mark.parametrize("name", ["vstar", "mvbench"])
def test_a_sample_set_and_a_function_of_ones_own_are_described(name, capsys, tmp_path, monkeypatch):
    assert "1000 tasks" in run(capsys, f"sample:{name}", "--sample", "2")[1]
    (tmp_path / "sums_for_describe.py").write_text(
        "from pixel_env.types import Task\n"
        "def sums(split):\n    return [Task('a', '1 + 1?', ('2',), media='text', grader='number')]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    told = run(capsys, "sums_for_describe:sums")[1]
    assert "media: text 1" in told and "images:" not in told and "evidence: none" in told


def test_tasks_that_share_an_image_or_a_question_are_counted_in_clusters():
    rotated = [
        tiny_task(f"{question}-{number}", variant=Variant("rotation", question, str(number)))
        for question in ("q", "r")
        for number in range(4)
    ]
    pair = [tiny_task(name, cluster="one page") for name in ("a", "b")]
    alone = [tiny_task("c", cluster="another page"), tiny_task("d")]
    assert lines(*rotated, *pair, *alone)["clusters"] == "3, which 10 tasks share; 2 questions as rotations"
    assert "clusters" not in lines(*alone)


def test_what_is_left_out_is_told_by_kind_of_reason(tmp_path, capsys):
    path = written(tmp_path, {}, *({"image": f"missing-{number}.png"} for number in range(3)), {"answer": ""})
    code, told, _ = run(capsys, path)
    assert code == 0 and "mine: 1 task of the format 'tasks' in 5 rows" in told
    assert "left out: 4 rows; pixel-env data check PATH says why" in told
    assert re.search(r"3 rows, such as line 2: .*missing-0\.png", told)
    assert re.search(r"1 row: line 5: ", told)


def test_a_set_without_a_task_is_described_and_the_exit_code_is_1(tmp_path, capsys):
    (tmp_path / "mine.jsonl").write_text("\n")
    code, told, _ = run(capsys, tmp_path / "mine.jsonl", "--page", tmp_path / "page.html")
    assert code == 1 and told.startswith("mine: 0 tasks") and "media" not in told
    assert (tmp_path / "page.html").read_text().count("<article>") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["sample:vstr"], "Did you mean 'vstar'"),
        (["sample:vstar", "--dialect", "qwen3vl"], "Did you mean 'qwen3-vl'"),
        (["sample:vstar", "--sample", "0"], "at least 1"),
        (["sample:vstar", "--page", "tasks.jsonl"], "ends in .html"),
        (["sample:vstar", "--page", "no/folder/page.html"], "there is no folder"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_read(arguments, said, capsys, monkeypatch):
    monkeypatch.setattr("pixel_env.tasks.command.described", None)
    code, told, error = run(capsys, *arguments)
    assert code == cli.USER_ERROR and said in error and not told and "Traceback" not in error


# -------------------------------------------------------------------------------------------------------------- attacks


def test_no_line_is_long_or_holds_what_a_terminal_acts_on():
    hostile = "\x1b[2J\u202e" + "x" * 100_000 + "\n\ud800"
    tasks = [
        Task(f"{hostile}{number}", hostile, (hostile,), (), "text", category=f"{hostile}{number}", grader=hostile[:9])
        for number in range(100)
    ]
    description = described(TaskSet(hostile, tasks, notice=hostile), None, DEFAULT.budgets, 10)
    told = list(lines_of(description, hostile))
    assert max(map(len, told)) < 800
    assert all(sign.isprintable() for line in told for sign in line)


def test_an_image_that_cannot_be_read_is_counted_and_the_rest_is_described():
    class Broken:
        key = "broken"

        def decode(self):
            raise MediaError("it is " + "broken " * 100)

    told = lines(tiny_task("a", sources=(Broken(),)), tiny_task("b"))
    assert "1 of 2 cannot be read: it is broken" in told["images"] and len(told["images"]) < 300
    assert "of 1" in told["evidence"]


def test_of_a_large_set_only_a_sample_is_decoded():
    decoded = []

    @dataclass(frozen=True)
    class Counted:
        key: str

        def decode(self):
            decoded.append(self.key)
            return Image.new("RGB", (60, 40))

    tasks = [
        tiny_task(str(number), sources=(Counted(f"counted {number}"),), category=str(number))
        for number in range(10_000)
    ]
    told = lines(*tasks, most=7)
    assert 7 <= len(decoded) <= 14 and told["images"] == "10000, 1 a task; 60x40 (of 7 spread over the set)"
    assert told["categories"].endswith("and 9988 others")


@pytest.mark.parametrize(("length", "most"), [(0, 5), (1, 5), (5, 5), (100, 1), (100, 16), (17, 16), (10**9, 3)])
def test_a_sample_is_spread_from_the_first_to_the_last_item(length, most):
    chosen = positions(length, most)
    assert len(chosen) == min(length, most) == len(set(chosen)) and chosen == sorted(chosen)
    assert not chosen or (chosen[0] == 0 and (most == 1 or chosen[-1] == length - 1))


def test_the_documented_lines_are_what_the_command_prints(capsys):
    page = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    [printed] = re.findall(r"```text\n(sample:.*?)```", page, re.DOTALL)
    assert run(capsys, "sample:mvbench")[1] == printed


def test_the_images_of_tasks_that_are_made_on_use_are_not_kept(monkeypatch):
    made, alive = [], []

    class Rows(LazySequence):
        def __len__(self):
            return 300

        def at(self, position):
            alive.append(sum(reference() is not None for reference in made))
            image = Image.new("RGB", (8, 8), (position % 256, position // 256, 0))
            made.append(weakref.ref(image))
            return Task(str(position), "Which?", ("a",), (image,))

    monkeypatch.setattr(CACHE, "max_bytes", 0)
    assert described(TaskSet("mine", Rows()), None, DEFAULT.budgets, 10).tasks == 300
    assert len(alive) >= 300 and max(alive) < 20

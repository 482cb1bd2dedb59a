"""Filters of seed data: each drops what it names and no more, and every dropped seed is counted with a reason."""

import io
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import TaskError
from pixel_env.media.sources import FileSource, ImageSource
from pixel_env.samples import SAMPLE_SETS
from pixel_env.task import Evidence, TaskSet
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Limits
from pixel_env.views import ViewKind
from synth.plans.plan import Refusal
from synth.seed_data import SEED_FORMATS, Drop, Filters, KeptAnswers, RegionQuestion, load_seeds, without_looking
from synth.seed_data.duplicates import SeenImages, difference_hash, distance
from synth.seed_data.embedded import MIXED, embedded_seeds
from synth.seed_data.filters import SeedFilter
from tests.paths import DOCS

OFF = Filters(max_share=None, max_frames=None, min_side_px=None, max_bits=None, per_picture=None)
SMALL = (Evidence(0, Box(0.5, 0.5, 0.6, 0.6)),)


def judged(tasks, filters=OFF):
    sieve = SeedFilter(filters)
    return [sieve.drop_reason(task) for task in tasks]


def boxed(*boxes, **fields):
    return tiny_task(evidence=tuple(Evidence(0, box) for box in boxes), **fields)


def noise(seed, size=(320, 240)):
    cells = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def encoded_anew(picture, scale=0.5, quality=50):
    buffer = io.BytesIO()
    size = (round(picture.width * scale), round(picture.height * scale))
    picture.resize(size).save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


# ---------------------------------------------------------------------------------------------------------- evidence


def test_a_seed_without_evidence_or_with_evidence_on_a_image_that_it_lacks_is_dropped():
    outside = tiny_task(evidence=(Evidence(1, FULL),))
    assert judged([tiny_task(evidence=()), outside]) == [Drop.NO_EVIDENCE, Drop.EVIDENCE_OUTSIDE]


def test_a_seed_of_which_it_is_known_that_the_overview_suffices_is_dropped():
    tasks = [tiny_task(needs_looking=known, question=str(known)) for known in (False, None, True)]
    assert judged(tasks) == [Drop.OVERVIEW_SUFFICES, None, None]


def test_a_region_of_more_than_the_share_is_too_large_and_each_region_of_a_seed_counts():
    filters = replace(OFF, max_share=0.05)
    assert judged([boxed(Box(0, 0, 0.25, 0.2)), boxed(Box(0, 0, 0.26, 0.2))], filters) == [None, Drop.REGION_TOO_LARGE]
    assert judged([boxed(Box(0, 0, 0.1, 0.1), Box(0, 0, 0.5, 0.5))], filters) == [Drop.REGION_TOO_LARGE]


def test_of_a_video_the_frames_are_counted_and_not_the_share_of_a_frame():
    filters = replace(OFF, max_share=0.05, max_frames=8)
    videos = [
        replace(tiny_video_task(), evidence=tuple(Evidence(i, FULL) for i in range(count)), question=str(count))
        for count in (8, 9)
    ]
    assert judged(videos, filters) == [None, Drop.REGION_TOO_LARGE]


def test_a_region_is_too_small_by_pixels_of_its_source():
    filters, box = replace(OFF, min_side_px=12), Box(0.5, 0.5, 0.54, 0.6)
    large, small = (boxed(box, sources=(PixelSource(side, side),)) for side in (300, 200))
    assert judged([large, small], filters) == [None, Drop.REGION_TOO_SMALL]


def test_a_image_that_cannot_be_read_is_a_reason_and_no_error():
    broken = tiny_task(sources=(BrokenSource(),), evidence=SMALL)
    assert judged([broken], replace(OFF, min_side_px=1)) == [Drop.UNREADABLE]
    assert judged([broken], replace(OFF, max_bits=1)) == [Drop.UNREADABLE]


def test_a_filter_that_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match=r"Filters\.per_picture must not be negative, got -1; None switches it off"):
        Filters(per_picture=-1)


# -------------------------------------------------------------------------------------------------------- duplicates


def test_the_same_question_about_the_same_image_is_dropped_and_another_one_is_not():
    other = tiny_task("c", question="What lies on the table?")
    assert judged([tiny_task("a"), tiny_task("b"), other]) == [None, Drop.SAME_QUESTION, None]


def test_a_image_is_asked_about_so_often_and_no_oftener():
    tasks = [tiny_task(str(i), question=f"question {i}") for i in range(3)]
    elsewhere = tiny_task("elsewhere", sources=(PixelSource(shade=9),))
    assert judged([*tasks, elsewhere], replace(OFF, per_picture=2)) == [None, None, Drop.PICTURE_USED_UP, None]


def test_a_copy_of_a_image_is_dropped_however_often_it_comes_and_the_image_itself_is_not():
    picture = noise(1)
    sources = [ImageSource(picture), ImageSource(encoded_anew(picture)), ImageSource(noise(2))]
    tasks = [tiny_task(f"{i}", question=f"{i}", sources=(sources[place],)) for i, place in enumerate((0, 1, 1, 0, 2))]
    expected = [None, Drop.NEAR_DUPLICATE, Drop.NEAR_DUPLICATE, None, None]
    assert judged(tasks, replace(OFF, max_bits=Filters().max_bits)) == expected


def text_page(seed):
    """A white page with a dark head and lines of text: what near duplicates are hardest to tell apart in."""
    rng = np.random.default_rng(seed)
    page = Image.new("RGB", (640, 1000), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 640, 40), fill=(30, 60, 120))
    for top in range(60, 980, 12):
        draw.rectangle((50, top, 50 + int(rng.integers(100, 540)), top + 7), fill=(60, 60, 60))
    return page


@pytest.mark.parametrize("drawn", [noise, text_page])
def test_the_hash_tells_copies_from_other_images_with_room_on_both_sides_of_the_default(drawn):
    pictures = [drawn(seed) for seed in range(8)]
    hashes = [difference_hash(picture) for picture in pictures]
    near = [
        distance(own, difference_hash(encoded_anew(picture, scale, quality)))
        for own, picture in zip(hashes, pictures, strict=True)
        for scale, quality in ((0.5, 50), (1.0, 30), (0.75, 85))
    ]
    far = [distance(first, second) for place, first in enumerate(hashes) for second in hashes[:place]]
    assert max(near) <= Filters().max_bits * 0.75 and min(far) >= Filters().max_bits * 2


def test_more_images_are_remembered_than_fit_at_first():
    seen, hashes = SeenImages(0), [np.array([i, 0, 0, 0], np.uint64) for i in range(200)]
    for one in hashes:
        assert not seen.resembles(one)
        seen.add(one)
    assert all(seen.resembles(one) for one in hashes)


def test_composed_scenes_are_not_rendered_to_be_sifted(monkeypatch):
    def decode(self):
        raise AssertionError("rendered")

    for task in load_seeds("embedded", count=8).task_set.tasks:
        for source in task.sources:
            monkeypatch.setattr(type(source), "decode", decode)
    assert load_seeds("embedded", count=40).report.kept == 40


# -------------------------------------------------------------------------------------------- asking and not looking


class Painter:
    """Asks for the colour of every region but those of one picture."""

    name = "painter"

    def ask(self, seeds, *, seed):
        for place in reversed(range(len(seeds))):
            refused = "sa_10" in seeds[place].task_id
            yield place, Refusal("blurred", "nothing to see") if refused else RegionQuestion("Which colour?", ("red",))


def test_an_asker_replaces_the_questions_about_unlabelled_regions_and_keeps_their_evidence(made, tmp_path):
    plain = load_seeds(made["sa1b"](tmp_path)).task_set.tasks
    seeds = load_seeds(tmp_path, asker=Painter())
    assert [task.evidence for task in seeds.task_set.tasks] == [task.evidence for task in plain[:3]]
    assert {(task.question, task.answers, task.grader) for task in seeds.task_set.tasks} == {
        ("Which colour?", ("red",), "exact")
    }
    assert seeds.report.dropped["not_asked"] == 3 and "blurred" in seeds.report.examples["not_asked"][0]


def test_an_asker_leaves_questions_that_somebody_wrote_alone(made, tmp_path):
    path = made["webpages"](tmp_path)
    questions = [task.question for task in load_seeds(path).task_set.tasks]
    assert [task.question for task in load_seeds(path, asker=Painter()).task_set.tasks] == questions


def check_by(script, **options):
    dialect = dialect_named("tiny")
    chat = PlainChat(dialect)
    settings = EpisodeSettings(dialect, Limits(max_turns=2), dialect.budgets)
    return without_looking(ScriptedEngine(script, chat), chat, settings, Sampling(), **options)


def test_what_a_model_answers_without_looking_is_dropped_and_it_may_not_call():
    banned = []

    def script(conversation):
        banned.append(conversation.request.banned_ids)
        return "<answer>7" if "red" in conversation.text else "<answer>0"

    tasks = [tiny_task("a"), tiny_task("b", question="Which digit is on the blue card?")]
    assert check_by(script)(TaskSet("two", tasks)) == [True, False]
    assert all(PlainChat(dialect_named("tiny")).call_opening_ids() <= ids for ids in banned)


def test_a_guess_that_is_right_once_is_not_an_answer():
    # Episodes are asked in any order; what each question is answered in all is the same.
    answers = {"red": iter(["<answer>7"] * 3), "blue": iter(["<answer>7", "<answer>0", "<answer>7"])}
    check = check_by(lambda it: next(answers["red" if "red" in it.text else "blue"]), attempts=3)
    tasks = [tiny_task("a"), tiny_task("b", question="Which digit is on the blue card?")]
    assert check(TaskSet("two", tasks)) == [True, False]


def test_a_model_that_cannot_be_kept_from_calling_has_one_turn():
    said = {"red": "<crop> 0 0 4 4", "blue": "<answer>7"}
    tasks = [tiny_task("a"), tiny_task("b", question="Which digit is on the blue card?")]
    check = check_by(lambda it: said["red" if "red" in it.text else "blue"], can_ban=False)
    assert check(TaskSet("two", tasks)) == [False, True]


def test_a_model_that_breaks_says_nothing_about_a_seed():
    with pytest.raises(TaskError, match=r"seed 'a': .*out of memory.*resumes from them"):
        check_by(lambda conversation: fail("out of memory"))(TaskSet("one", [tiny_task("a")]))


def fail(message):
    raise RuntimeError(message)


def test_what_was_answered_is_requested_once_even_by_another_process(tmp_path):
    asked = []

    def answered(task_set):
        asked.extend(task.task_id for task in task_set.tasks)
        return [task.task_id == "a" for task in task_set.tasks]

    first, second = TaskSet("s", [tiny_task("a")]), TaskSet("s", [tiny_task("b"), tiny_task("a")])
    assert KeptAnswers(tmp_path / "kept.jsonl", answered)(first) == [True]
    assert KeptAnswers(tmp_path / "kept.jsonl", answered)(second) == [False, True]
    assert asked == ["a", "b"]


def test_a_seed_that_has_changed_is_asked_about_again(tmp_path):
    edited = tiny_task("a", question="Which digit is on the blue card?")
    answers = iter([[True], [False]])
    for task, expected in ((tiny_task("a"), True), (edited, False), (tiny_task("a"), True)):
        assert KeptAnswers(tmp_path / "kept.jsonl", lambda _: next(answers))(TaskSet("s", [task])) == [expected]


def test_the_check_is_asked_in_chunks_until_enough_seeds_are_kept():
    asked = []

    def answered(task_set):
        asked.append(len(task_set))
        return [place % 2 == 0 for place in range(len(task_set))]

    seeds = load_seeds("sample:vstar-tiny", count=300, answers_without_looking=answered)
    assert seeds.report.kept == len(seeds.task_set) == 300
    assert asked == [256, 256, 256] and seeds.report.dropped["overview_suffices"] > 300


# ------------------------------------------------------------------------------------------------ embedded and report


def test_embedded_seeds_are_the_sample_sets_in_turn_and_a_longer_set_starts_with_the_shorter():
    short, long = (load_seeds("embedded", count=count).task_set.tasks for count in (20, 60))
    assert [task.task_id for task in short] == [task.task_id for task in long[:20]]
    assert {task.task_id.partition("/")[0] for task in short} == set(MIXED)
    assert all("/train/" in task.task_id for task in short)
    assert all("/test/" in task.task_id for task in load_seeds("embedded", split="test", count=8).task_set.tasks)


def test_the_sets_that_are_mixed_show_images_alike_so_that_one_budget_holds_for_all():
    budgets = embedded_seeds("train", 4).budgets
    for name in MIXED:
        for kind in (ViewKind.ORIGINAL, ViewKind.CROP):
            assert SAMPLE_SETS[name].budgets.of(kind) == budgets.of(kind)
    assert budgets == SAMPLE_SETS["mvbench"].budgets


def test_the_report_counts_everything_once_and_names_examples(made, tmp_path):
    report = load_seeds(made["own"](tmp_path), filters=OFF).report
    assert (report.read, report.kept, dict(report.dropped)) == (2, 1, {"no_evidence": 1})
    assert report.lines() == ["tasks (tasks): 1 of 2 seeds kept", "  no_evidence: 1, e.g. unseen"]


def test_only_so_many_seeds_are_kept_as_are_requested(made, tmp_path):
    assert len(load_seeds(made["sa1b"](tmp_path), count=2).task_set) == 2
    with pytest.raises(TaskError, match="at least 1, got 0"):
        load_seeds(tmp_path, count=0)


def test_seeds_of_which_none_passes_are_an_error_that_says_why(made, tmp_path):
    with pytest.raises(TaskError, match=r"(?s)0 of 5 seeds kept\n  region_too_large: 5.*less strict Filters"):
        load_seeds(made["coco"](tmp_path), filters=replace(OFF, max_share=0.0))


def test_the_seeds_of_files_stay_files(made, tmp_path):
    assert all(isinstance(task.sources[0], FileSource) for task in load_seeds(made["coco"](tmp_path)).task_set.tasks)


def test_the_page_tells_every_format_every_reason_and_every_default():
    page = (DOCS / "synthesis.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
    assert names >= {*SEED_FORMATS, *(drop.value for drop in Drop)}
    settings = [row for row in rows if len(row) == 4 and re.match(r"`m\w+|`per_picture", row[2])]
    told = {
        name: value
        for row in settings
        for name, value in zip(re.findall(r"`(\w+)`", row[2]), row[3].split(", "), strict=True)
    }
    assert told == {name: str(value) for name, value in asdict(Filters()).items()}

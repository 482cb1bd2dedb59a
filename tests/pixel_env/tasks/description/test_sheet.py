"""The contact sheet of `pixel-env data describe --page`: sixteen tasks, nothing of a task is markup."""

import re
from html.parser import HTMLParser

from pixel_env import cli
from pixel_env.boxes import Box
from pixel_env.errors import MediaError
from pixel_env.task import Evidence, TaskSet
from pixel_env.tasks.description.sheet import sheet, write_sheet
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task

HOSTILE = """</h2><script>alert(1)</script><img src=x onerror="alert(2)">{{cards}}" ' & <!-- \x00 \u202e"""


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def cards(*tasks):
    return sheet(TaskSet("mine", tasks), ["mine: lines"])


def test_sixteen_tasks_are_spread_over_the_set():
    page = cards(*(tiny_task(f"tiny-{number}") for number in range(100)))
    assert re.findall(r"<p class=soft>(\d+) of 100", page)[:3] == ["1", "8", "14"]
    assert page.count("<article>") == 16 and "100 of 100" in page
    assert cards(tiny_task("a"), tiny_task("b")).count("<article>") == 2


def test_a_card_has_question_options_answer_grader_and_marks_evidence():
    box = Evidence(0, Box(0.5, 0.25, 0.75, 0.5))
    page = cards(
        tiny_task(options=("red", "blue"), answers=("B",), grader="choice", category="colours", evidence=(box,))
    )
    assert "<b>A</b> <bdi>red</bdi></li><li class=right><b>B</b> <bdi>blue</bdi>" in page
    assert "answer: <b dir=auto>B</b>" in page and "<dd>choice</dd>" in page and "<dd>colours</dd>" in page
    assert '<i style="left:50.000%;top:25.000%;width:25.000%;height:25.000%"></i>' in page


def test_of_many_images_those_with_evidence_are_shown():
    sources = tuple(PixelSource(shade=shade) for shade in range(9))
    page = cards(tiny_task(sources=sources, evidence=(Evidence(6, Box(0, 0, 1, 1)),)))
    assert page.count("<img") == 4 and "image 7, " in page and page.count("<i style") == 1
    assert cards(tiny_video_task()).count("frame ") == 4 and "<img" not in cards(tiny_task(sources=(), media="text"))


def test_nothing_of_a_task_becomes_markup_and_nothing_is_loaded():
    fields = {"question": HOSTILE, "answers": (HOSTILE,), "options": (HOSTILE, "b"), "category": HOSTILE}
    task = tiny_task(HOSTILE, grader=HOSTILE, **fields)
    page = sheet(TaskSet(HOSTILE, [task]), [HOSTILE])
    parsed = Tags(page)
    assert not {"script", "iframe", "link", "object"} & set(parsed.tags) and parsed.tags.count("img") == 1
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in parsed.attributes if name == "src")
    assert page.count("<article>") == 1 and "\x00" not in page and "\u202e" not in page and "{{cards}}" in page


def test_half_of_a_character_a_very_long_text_and_a_broken_image_leave_a_page(tmp_path):
    class Broken:
        key = "broken"

        def decode(self):
            raise MediaError("<b>it is broken</b>")

    path = tmp_path / "page.html"
    tasks = [tiny_task("\ud800", question="x" * 1_000_000, sources=(Broken(),))]
    write_sheet(TaskSet("mine", tasks), [], path)
    page = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;it is broken" in page and "and 999000 characters" in page and len(page) < 50_000


def test_the_command_writes_the_page_and_the_page_stays_small(tmp_path, capsys):
    assert cli.main(["data", "describe", "sample:tallyqa", "--sample", "2", "--page", str(tmp_path / "page.html")]) == 0
    assert f"{tmp_path / 'page.html'}: 16 of 1000 tasks" in capsys.readouterr().out
    assert (tmp_path / "page.html").stat().st_size < 2_000_000


def test_a_browser_shows_the_page_at_the_width_of_a_phone(tmp_path):
    from tests.browser import launched, sync_api  # skips without playwright

    tasks = [
        tiny_task("tiny", question=f"{HOSTILE} {'long' * 200}", options=("a", "b" * 300), answers=("A",)),
        tiny_video_task(),
        tiny_task("wide", sources=(PixelSource(4000, 40),)),
    ]
    path = tmp_path / "page.html"
    write_sheet(TaskSet("mine", tasks), ["mine: 3 tasks", f"  categories: {'x' * 500}"], path)
    wrong = []
    with sync_api.sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        for event in ("pageerror", "console", "dialog"):
            page.on(event, lambda told: wrong.append(str(told)))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
        assert page.locator("article").count() == 3 and page.locator(".marked i").count() == 2
        browser.close()
    assert not wrong

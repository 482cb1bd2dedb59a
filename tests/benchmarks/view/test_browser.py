"""The page of `pixel-env view` in a real browser: Debian's Chromium, or playwright's own."""

import sys
import threading
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.evaluation.records import ROWS, Record
from benchmarks.view.command import main
from benchmarks.view.page import write_page
from benchmarks.view.rows import Run
from benchmarks.view.server import PageServer
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits
from rewards.shaping import paper
from tests.benchmarks.view.runs import (
    DEFAULT,
    GUESS,
    HOSTILE,
    HOSTILE_PART,
    LOOK_TWICE,
    OWN_REWARD,
    POLICY,
    SELECT,
    STUMBLE,
    hostile_tasks,
    write_run,
)
from tests.browser import launched, sync_api
from tests.waiting import until

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


def wait_for_pictures(page):
    """Until every image of the episode is there. What `wait_for_function` evaluates, the page's policy forbids."""
    are_there = "[...document.querySelectorAll('.turns img')].every((image) => image.naturalWidth > 0)"
    until(lambda: page.evaluate(are_there))


@pytest.fixture
def visit(browser):
    """Opens a page at an address and size; any error, dialog or request for another file fails the test."""
    contexts, wrong = [], []

    def open_page(path, address="", viewport=DESKTOP, scheme="light"):
        contexts.append(browser.new_context(viewport=viewport, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        own = ("data:", path.parent.as_uri())
        page.on("request", lambda request: None if request.url.startswith(own) else wrong.append(request.url))
        page.goto(path.as_uri() + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("view") / "run", [GUESS, LOOK_TWICE, STUMBLE, LOOK_TWICE])
    main([str(folder)])
    return folder


def id_of(sample, task="vstar/test/0/000000-digit-on-card"):
    return f"#at=learned_zoom%2F{task.replace('/', '%2F')}%2F{sample}"


def count(page):
    return page.inner_text("#count")


def is_wider_than_the_window(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_keys_go_through_the_list_and_the_address_follows(visit, run):
    page = visit(run / "view.html")
    assert count(page) == "15 trajectories" and "no V* score" in page.inner_text("#detail")
    page.keyboard.press("j")
    first = page.inner_text("#detail .id")
    page.keyboard.press("j")
    second = page.inner_text("#detail .id")
    assert first != second and second.replace("/", "%2F") in page.url
    page.keyboard.press("k")
    assert page.inner_text("#detail .id") == first
    assert page.locator('.line[aria-selected="true"]').count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#detail .id").count() == 0


def test_filters_and_search_narrow_the_list_and_live_in_the_address(visit, run):
    page = visit(run / "view.html")
    page.select_option("select[name=operations]", "crop_too_small")
    assert count(page) == "3 of 15 trajectories" and "operations=crop_too_small" in page.url
    page.select_option("select[name=operations]", "")
    page.keyboard.press("/")
    page.keyboard.type("look closer")
    assert count(page) == "6 of 15 trajectories"
    again = visit(run / "view.html", "#" + page.url.partition("#")[2])
    assert count(again) == "6 of 15 trajectories" and again.input_value("#find") == "look closer"


def test_keys_typed_into_the_search_are_text(visit, run):
    page = visit(run / "view.html")
    page.keyboard.press("/")
    page.keyboard.type("jk")
    assert page.input_value("#find") == "jk" and page.locator("#detail .id").count() == 0


def test_a_trajectory_shows_its_boxes_crops_turns_failures_and_reward(visit, run):
    page = visit(run / "view.html", id_of(1))
    assert page.locator(".sources .tag").all_inner_texts() == ["1", "2"]
    assert page.locator(".turn .shown img").count() == 2 and "I look closer." in page.inner_text(".turns")
    wait_for_pictures(page)
    assert "advantage in its group" in page.inner_text(".paid") and "RaPR 0.500" in page.inner_text(".group")
    page.goto(page.url.partition("#")[0] + id_of(2))
    codes = ["unknown_operation", "crop_too_small", "no_such_image"]
    assert page.locator(".chip.code").all_inner_texts() == codes
    assert page.locator(".sources .tag").all_inner_texts() == ["×"]


def test_the_parts_of_a_reward_of_ones_own_have_columns_names_and_colours(visit, run, tmp_path, monkeypatch):
    (tmp_path / "own_browser_reward.py").write_text(OWN_REWARD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    main([str(run), "--group_reward", "own_browser_reward:four_parts", "--output", str(tmp_path / "own.html")])
    parts = ["turns", "7", "__proto__", HOSTILE_PART]
    for viewport in (DESKTOP, PHONE):
        page = visit(tmp_path / "own.html", id_of(1), viewport=viewport)
        head = page.locator(".group thead").first.locator("th")
        assert head.all_text_contents() == ["rollout", "", "answer", "operations", *parts, "reward", "advantage"]
        cells = [text.replace("\xa0", " ") for text in page.locator(".group tr.current td").all_text_contents()]
        assert cells[3:] == ["2 of 2", "+3.000 × −0.25", "+1.000", "+0.125", "+2.000 × 0", "0.375", "+0.438"]
        assert page.locator(".paid .part").all_text_contents() == parts
        colours = head.locator(".dot").evaluate_all("all => all.map((dot) => dot.style.background)")
        assert len(colours) == len(set(colours)) == 4 and all(colours)
        assert colours == page.locator(".paid .dot").evaluate_all("all => all.map((dot) => dot.style.background)")
        assert max(box["width"] for box in (part.bounding_box() for part in page.locator(".part").all())) < 300
        assert page.get_attribute(".group thead .part >> nth=3", "title") == HOSTILE_PART
        assert page.evaluate("window.pwned") is None and not is_wider_than_the_window(page)


def test_a_rollout_of_the_group_is_one_click_away_and_the_way_back_too(visit, run):
    page = visit(run / "view.html", id_of(1))
    page.click(".group button:has-text('learned_zoom 3')")
    assert page.inner_text("#detail .id").endswith("/2")
    page.go_back()
    assert page.inner_text("#detail .id").endswith("/1")


def test_a_film_strip_marks_the_selected_frames(visit, tmp_path):
    run = write_run(tmp_path / "run", [SELECT], tasks="sample:mvbench", count=1)
    main([str(run)])
    page = visit(run / "view.html")
    page.keyboard.press("j")
    assert page.locator(".strip figure").count() == 16
    assert page.locator(".strip figure.chosen figcaption").all_inner_texts() == [
        "frame 2\n1",
        "frame 7\n2",
        "frame 12\n3",
    ]


def test_two_runs_stand_beside_each_other_and_are_filtered_by_outcome(visit, run, tmp_path):
    other = write_run(tmp_path / "other", [LOOK_TWICE, GUESS])
    main([str(run), "--other", str(other), "--output", str(tmp_path / "pair.html")])
    page = visit(tmp_path / "pair.html", id_of(1))
    assert page.locator("#detail article").count() == 2 and page.locator(".chip.look").count() == 2
    page.select_option("select[name=answer]", "only in A")
    assert count(page) == "6 of 15 trajectories"


def test_hostile_text_is_shown_as_text_and_does_nothing(visit, tmp_path):
    run = write_run(tmp_path / "run", [(HOSTILE,)], tasks=hostile_tasks(tmp_path / "data"))
    main([str(run)])
    page = visit(run / "view.html")
    page.keyboard.press("j")
    assert "</script><script>window.pwned=1</script>" in page.inner_text("#detail .question")
    assert page.evaluate("window.pwned") is None and page.locator("#detail script, #list script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_list_and_the_trajectory_take_turns(visit, run, scheme):
    page = visit(run / "view.html", viewport=PHONE, scheme=scheme)
    assert page.is_visible("#list") and not is_wider_than_the_window(page)
    page.click(".line >> nth=1")
    assert page.is_visible("#detail .id") and not page.is_visible("#list") and not is_wider_than_the_window(page)
    page.click("text=all trajectories")
    assert page.is_visible("#list") and not page.is_visible("#detail .id")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 23, 26)") == (scheme == "dark")


def test_on_a_phone_the_summary_is_one_click_away_and_the_way_back_too(visit, run):
    page = visit(run / "view.html", viewport=PHONE)
    page.click("text=Summary")
    told = page.inner_text("#detail .about")
    assert "no V* score" in told and "Configuration" in told and "mean grade" in told and not page.is_visible("#list")
    assert not is_wider_than_the_window(page) and not page.is_visible("#detail button:has-text('next')")
    assert visit(run / "view.html", "#" + page.url.partition("#")[2], viewport=PHONE).is_visible("#detail .about")
    page.click("text=all trajectories")
    assert page.is_visible("#list") and not page.is_visible("#detail .about")


def test_on_a_desktop_the_summary_is_seen_again_after_a_trajectory(visit, run):
    page = visit(run / "view.html", id_of(1))
    assert not page.is_visible("#detail .about")
    page.click("text=Summary")
    assert page.is_visible("#detail .about") and page.is_visible("#list")


@pytest.mark.parametrize("viewport", [PHONE, {"width": 760, "height": 500}, DESKTOP])
def test_every_filter_lies_in_the_window(visit, run, viewport):
    page = visit(run / "view.html", viewport=viewport)
    fields = page.locator("#filters select, #filters input").all()
    boxes = [field.bounding_box() for field in fields]
    assert len(boxes) == 6 and all(box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"] for box in boxes)
    assert page.evaluate(
        "(() => { const f = document.getElementById('filters'); return f.scrollWidth <= f.clientWidth })()"
    )
    [top, bar] = (page.locator(place).bounding_box() for place in ("#list", ".bar"))
    assert top["y"] >= bar["y"] + bar["height"] and not is_wider_than_the_window(page)


def test_the_lines_of_the_list_name_the_policy_where_there_are_several(visit, run, tmp_path):
    page = visit(run / "view.html")
    lines = page.locator(".line").all_inner_texts()
    assert [sum(f"\n{name}\n" in line for line in lines) for name in (POLICY, f"{POLICY}, sampled 2")] == [3, 3]
    # The lines have one height, so all that a line says must fit into it.
    fits = "all => all.every((line) => line.scrollHeight <= line.clientHeight + 1)"
    assert page.locator(".line").evaluate_all(fits)
    alone = write_run(tmp_path / "alone", [GUESS])
    rows = (alone / ROWS).read_text().splitlines()
    (alone / ROWS).write_text("".join(f"{row}\n" for row in rows[:3]))
    main([str(alone)])
    page = visit(alone / "view.html")
    assert count(page) == "3 trajectories" and POLICY not in page.inner_text("#list")


def test_pictures_in_a_folder_are_loaded_as_they_come_in_sight(visit, run, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.view.page.EMBEDDED_IMAGES", 3)
    main([str(run), "--output", str(tmp_path / "a page.html")])
    page = visit(tmp_path / "a page.html", id_of(1))
    wait_for_pictures(page)


def test_a_page_with_one_trajectory_opens_it_and_does_not_grade_what_nobody_knows(visit, tmp_path):
    task = replace(load_tasks("sample:vstar", count=1).tasks[0], answers=(), evidence=())
    chat, budgets = PlainChat(DEFAULT), DEFAULT.budgets
    settings = EpisodeSettings(DEFAULT, Limits(4), budgets)
    engine = ScriptedEngine(lambda c: LOOK_TWICE[c.turn], chat)
    [played] = rollout([task], engine, chat, settings=settings, sampling=Sampling(0.0), seed=0)
    write_page(tmp_path / "view.html", [Run("asked", [Record(played.trajectory, "ask", None)], budgets)], paper)
    for viewport in (DESKTOP, PHONE):
        page = visit(tmp_path / "view.html", viewport=viewport)
        told = page.inner_text("#detail")
        assert "not graded" in told and "2 operations, 2 executed." in told and not is_wider_than_the_window(page)
        assert not any(word in told for word in ("wrong", "reference", "grade of the answer", "correctness"))
        page.keyboard.press("Escape")
        assert page.locator("#detail .about td").all_inner_texts()[:4] == ["ask", "1", "–", "–"]


def test_failed_episodes_have_a_column_and_a_policy_in_which_all_failed_has_no_figures(visit, tmp_path):
    tasks, chat, budgets = load_tasks("sample:vstar", count=2).tasks, PlainChat(DEFAULT), DEFAULT.budgets
    settings = EpisodeSettings(DEFAULT, Limits(4), budgets)

    def breaks(conversation):
        raise ConnectionError("gone")

    records = []
    for name, script in (("dead", breaks), ("alive", lambda conversation: GUESS[0])):
        played = rollout(tasks, ScriptedEngine(script, chat), chat, settings=settings, sampling=Sampling(0.0), seed=0)
        records += [Record(one.trajectory, name, None) for one in played]
    write_page(tmp_path / "view.html", [Run("run", records, budgets, "What is told.")], paper)
    page = visit(tmp_path / "view.html")
    assert page.locator("#detail .about th").all_inner_texts()[7] == "failed"
    dead, alive = (page.locator("#detail .about table >> nth=0 >> tr").nth(row).inner_text() for row in (1, 2))
    assert dead.split() == ["dead", "2", "–", "–", "–", "–", "–", "2"] and alive.split()[-1] == "0"
    assert "What is told." in page.inner_text("#detail .about")


def test_answers_that_could_not_be_read_are_marked_counted_and_listed_by_a_filter(visit, tmp_path):
    run = write_run(tmp_path / "run", [GUESS, (r"\boxed{...}",)], tasks="sample:vstar-tiny", count=2)
    main([str(run)])
    page = visit(run / "view.html")
    figures = [row.inner_text().split() for row in page.locator("#detail .about table >> nth=0 >> tr").all()[1:]]
    assert page.locator("#detail .about th").all_inner_texts()[4] == "unparsed"
    assert page.locator(".line .chip.unparsed").count() == 2 and count(page) == "6 trajectories"
    assert len(figures) == 2 and "2" in figures[1][-3:] and "0" in figures[0][-3:]
    page.select_option("select[name=answer]", "unparsed")
    assert count(page) == "2 of 6 trajectories"
    page.locator(".line").first.click()
    assert page.locator("#detail .chips").inner_text().split()[:2] == ["wrong", "unparsed"]


def test_a_served_page_shows_its_pictures_from_the_folder(browser, run, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.view.page.EMBEDDED_IMAGES", 3)
    main([str(run), "--output", str(tmp_path / "a page.html")])
    wrong = []
    with PageServer(tmp_path / "a page.html", 0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        page = browser.new_page()
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(server.address + id_of(1))
        wait_for_pictures(page)
        page.close()
        server.shutdown()
    assert wrong == []


def test_only_the_lines_in_sight_are_in_the_document(visit, tmp_path):
    run = write_run(tmp_path / "run", [GUESS] * 40, tasks="sample:vstar-tiny", count=2)
    main([str(run)])
    page = visit(run / "view.html")
    assert count(page) == "82 trajectories" and page.locator(".line").count() < 30
    for _ in range(60):
        page.keyboard.press("j")
    assert page.locator(".line").count() < 30
    assert page.locator('.line[aria-selected="true"]').count() == 1

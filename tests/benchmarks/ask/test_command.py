"""`pixel-env ask`: one question, told step by step and shown on a page, graded by nobody."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from benchmarks.ask import command as ask_command
from benchmarks.ask.question import task_of_files
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import TaskError
from pixel_env.samples import sample_set
from tests.benchmarks.view.runs import GUESS, HOSTILE, LOOK_TWICE, SELECT, STUMBLE
from tests.paths import ROOT
from tests.pixel_env.media.films import film


def scripted(plan, dialect):
    chat = PlainChat(dialect)
    return ScriptedEngine(in_turn(*plan), chat), chat


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", (400, 300), "navy").save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """Asks a model that says these texts in turn; returns the exit code, what was printed and the page."""

    def asked(plan, *words):
        monkeypatch.setattr(ask_command, "engine_chosen", lambda choice, dialect: scripted(plan, dialect))
        path = tmp_path / "page" / "ask.html"
        code = main(["ask", *words, "--dialect", "default", "--model", "some-model", "--output", str(path)])
        return code, capsys.readouterr().out, path.read_text(encoding="utf-8") if path.exists() else ""

    return asked


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


# ---------------------------------------------------------------------------------------------------- what is told


def test_every_step_is_told_and_the_page_holds_the_episode(ask, photo):
    code, out, page = ask(LOOK_TWICE, photo, "What is on it?")
    assert code == 0
    assert "Question: What is on it?" in out
    assert "crop image 1 at 0.100 0.100 0.500 0.600" in out and "crop image 2 at 0.200" in out
    assert re.search(r"image 3, crop: shown at \d+x\d+ px", out)
    assert "Answer: right (not graded)" in out and "Stopped: answered" in out
    [trajectory] = data_of(page)["trajectories"]
    assert len(trajectory["turns"]) == 3 and trajectory["answer"] == "right"


def test_a_question_that_nobody_graded_has_no_grade_no_reward_and_no_accuracy(ask, photo):
    _, out, page = ask(GUESS, photo, "Left or right?", "--options", "left", "right")
    data = data_of(page)
    assert data["tasks"][0]["answers"] == [] and data["tasks"][0]["options"] == ["left", "right"]
    assert not {"parts", "total", "advantage"} & set(data["trajectories"][0])
    assert data["runs"][0]["figures"][0]["accuracy"] is None
    assert "wrong" not in out


def test_refused_operations_are_told_with_code_and_message(ask, photo):
    _, out, _ = ask(STUMBLE, photo, "What?")
    assert "refused, unknown_operation: There is no operation of that name" in out
    assert "refused, crop_too_small" in out and "refused, no_such_image" in out
    assert "No answer." in out and "Stopped: turns" in out


def test_several_pictures_are_shown_in_their_order(ask, photo, tmp_path):
    Image.new("RGB", (300, 600), "red").save(tmp_path / "second.png")
    code, out, page = ask(GUESS, photo, str(tmp_path / "second.png"), "Which is taller?")
    assert code == 0 and "image 2, original" in out and len(data_of(page)["tasks"][0]["sources"]) == 2


def test_flags_may_name_pictures_and_question(ask, photo):
    for words in (["--pictures", photo, "--question=-1 or 1?"], [photo, "--question=-1 or 1?"]):
        code, out, _ = ask(GUESS, *words)
        assert code == 0 and "Question: -1 or 1?" in out


def test_hostile_texts_stay_text_on_the_page_and_in_the_terminal(ask, photo):
    _, out, page = ask((f"\\boxed{{{HOSTILE}\x1b[2J}}",), photo, f"{HOSTILE}\x1b]0;owned\x07 what?")
    assert "<script>window.pwned" not in page and "<img src=x" not in page
    assert "\x1b" not in out and "\x07" not in out and r"\x1b]0;owned\x07" in out
    assert data_of(page)["tasks"][0]["question"].startswith(HOSTILE)


def test_an_episode_that_breaks_is_told_with_its_error_and_the_exit_code(photo, tmp_path, monkeypatch, capsys):
    def breaks(conversation):
        if conversation.turn:
            raise ConnectionError("the server is gone")
        return LOOK_TWICE[0]

    chat = PlainChat(dialect_named("default"))
    monkeypatch.setattr(ask_command, "engine_chosen", lambda choice, dialect: (ScriptedEngine(breaks, chat), chat))
    page = tmp_path / "page.html"
    assert main(["ask", photo, "What is on it?", "--dialect", "default", "--output", str(page)]) == 1
    out = capsys.readouterr().out
    assert "No answer." in out and "Stopped: failed" in out and "the server is gone" in out
    assert data_of(page.read_text(encoding="utf-8"))["runs"][0]["figures"][0]["failed"] == 1


# ------------------------------------------------------------------------------------------------- videos as frames


def test_a_folder_of_frames_is_a_video_of_sixteen_of_them_at_even_distances(ask, tmp_path):
    frames = tmp_path / "clip"
    frames.mkdir()
    for number in range(1, 41):
        Image.new("RGB", (320, 240), (5 * number, 0, 0)).save(frames / f"{number}.png")
    task = task_of_files([str(frames)], "What happens?")
    assert task.media == "video" and len(task.sources) == 16
    assert [source.path.stem for source in task.sources][:3] == ["1", "3", "6"]
    assert task.sources[-1].path.stem == "40"
    code, out, page = ask(SELECT, str(frames), "What happens?")
    assert code == 0 and "select frames 2 7 12" in out and "image 17, selected frame" in out
    assert data_of(page)["tasks"][0]["media"] == "video"


def test_a_gif_is_a_video_if_it_moves_and_a_picture_if_not(tmp_path):
    shots = [Image.new("RGB", (320, 240), colour) for colour in ("red", "green", "blue")]
    shots[0].save(tmp_path / "still.gif")
    assert task_of_files([str(tmp_path / "still.gif")], "What?").media == "image"
    pytest.importorskip("av")
    shots[0].save(tmp_path / "moving.gif", save_all=True, append_images=shots[1:], duration=100)
    task = task_of_files([str(tmp_path / "moving.gif")], "What?")
    assert task.media == "video" and len(task.sources) == 16


def test_what_is_a_video_its_content_tells_whatever_its_name(tmp_path):
    pytest.importorskip("av")
    shots = [Image.new("RGB", (320, 240), colour) for colour in ("red", "green", "blue")]
    shots[0].save(tmp_path / "film.jpg", "GIF", save_all=True, append_images=shots[1:], duration=100)
    film(tmp_path / "film.mp4").replace(tmp_path / "film.png")
    shots[0].save(tmp_path / "picture.mp4", "PNG")
    for name, media in {"film.jpg": "video", "film.png": "video", "picture.mp4": "image"}.items():
        task = task_of_files([str(tmp_path / name)], "What?")
        assert (task.media, len(task.sources)) == (media, 16 if media == "video" else 1)
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "page.mp4").write_text("<html>")
    with pytest.raises(TaskError, match=r"the image .*page\.jpg' cannot be used"):
        task_of_files([str(tmp_path / "page.jpg")], "What?")
    with pytest.raises(TaskError, match=r"the video .*page\.mp4' cannot be used"):
        task_of_files([str(tmp_path / "page.mp4")], "What?")


@pytest.mark.parametrize("name", ["pages.tif", "moving.webp", "moving.png"])
def test_of_pages_and_moving_pictures_the_first_is_shown_and_that_is_told(name, tmp_path):
    shots = [Image.new("RGB", (320, 240), colour) for colour in ("red", "green")]
    shots[0].save(tmp_path / name, save_all=True, append_images=shots[1:])
    with pytest.warns(UserWarning, match=f"{name}' has several frames or pages; the first one is shown"):
        task = task_of_files([str(tmp_path / name)], "What?")
    assert task.media == "image" and task.sources[0].decode().getpixel((9, 9))[0] > 200


# ----------------------------------------------------------------------------------------------- the user's mistakes


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no image is given"),
        (["{photo}"], "takes images and then a question"),
        (["{photo}", " "], "no question is given"),
        (["nowhere.png", "What?"], "there is no file 'nowhere.png'. Give the images first"),
        (["{notes}", "What?"], "is not an image that can be read; wanted: one of AVIF"),
        (["{cut}", "What?"], "cannot be used"),
        (["{empty}", "What?"], "holds no frame"),
        (["{photo}", "{empty}", "What?"], "a video must be the only file"),
        (["{photo}", "What?", "--options", "one"], "at least two options"),
        (["{photo}", "What?", "--max_turns", "0"], "--max_turns: got '0'; wanted: a whole number, at least 1"),
        (["{photo}", "What?", "--temperature", "-1"], "--temperature: got '-1'; wanted: a number, at least 0"),
        (["{photo}", "-5 or 5?"], '--question="-5 or 5?"'),
        (["{photo}", "{photo}", "-x or y?"], '--question="-x or y?"'),
        (["{photo}", "{photo}", "What?", "--max_images", "1"], "exceeds limits.max_images"),
        (["{photo}", "What?", "--dialect", "tny"], "Did you mean 'tiny'?"),
        (["{photo}", "What?", "--dialect", "default", "--engine", "endpoint"], "--base_url"),
        (
            ["{photo}", "What?", "--dialect", "tiny", "--engine", "endpoint", "--base_url", "http://127.0.0.1:9/v1"],
            "OPENAI_API_KEY=none",
        ),
    ],
)
def test_a_mistake_of_the_user_is_a_message_with_the_way_out(words, told, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if "--engine" not in words:
        monkeypatch.setattr(ask_command, "engine_chosen", lambda choice, dialect: scripted(GUESS, dialect))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(Path(photo).read_bytes()[:200])
    (tmp_path / "empty").mkdir()
    files = {"photo": photo, "notes": tmp_path / "notes.txt", "cut": tmp_path / "cut.png", "empty": tmp_path / "empty"}
    words = [word.format(**files) for word in words]
    assert main(["ask", *words, *(["--output", str(tmp_path / "page.html")] if words else [])]) == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error


@pytest.mark.parametrize("output", ["{photo}", "trajectories.jsonl", "folder.html", "page"])
def test_the_page_is_written_over_no_other_file_and_nothing_is_asked_for_it(
    output, photo, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(ask_command, "engine_chosen", lambda choice, dialect: pytest.fail("asked"))
    (tmp_path / "trajectories.jsonl").write_text("rows")
    (tmp_path / "folder.html").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    path = output.format(photo=photo) if output == "{photo}" else str(tmp_path / output)
    assert main(["ask", photo, "What?", "--output", path]) == 2
    error = capsys.readouterr().err
    assert "--output" in error and ".html" in error and "Traceback" not in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_the_engine_is_made_for_the_pictures_that_the_limit_allows(photo, tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr(
        ask_command, "engine_chosen", lambda choice, dialect: chosen.append(choice) or scripted(GUESS, dialect)
    )
    words = ["ask", photo, "What?", "--dialect", "default", "--max_images", "5"]
    assert main([*words, "--output", str(tmp_path / "page.html")]) == 0
    assert chosen[0].max_images == 5  # its own pictures are among them, and of a video the engine adds the frames


def test_an_unreadable_video_is_named_with_its_fault(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(TaskError, match=r"the video .*broken\.mp4' cannot be used"):
        task_of_files([str(tmp_path / "broken.mp4")], "What?")


def test_an_unknown_model_is_a_message(photo, tmp_path, capsys):
    pytest.importorskip("torch")
    words = ["ask", photo, "What?", "--model", "tiny-zom", "--output", str(tmp_path / "page.html")]
    assert main(words) == 2
    assert "there is no checkpoint folder tiny-zom" in capsys.readouterr().err


def test_the_help_of_the_commands_that_show_imports_no_training_library():
    code = """
import sys
from pixel_env.cli import main
for name in ("ask", "view", "eval", "eval-demo"):
    try:
        main([name, "--help"])
    except SystemExit as end:
        assert end.code == 0
print("loaded:", [name for name in ("torch", "transformers", "vllm", "httpx") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert "loaded: []" in done.stdout, done.stderr


# ---------------------------------------------------------------------------------------------- the embedded model


def test_the_embedded_model_reads_a_card_of_the_sample_set_and_says_what_it_was_not_taught(tmp_path, capsys):
    pytest.importorskip("torch")
    task = sample_set("vstar-tiny").tasks[0]
    task.sources[0].decode().save(tmp_path / "cards.png")
    words = ["--output", str(tmp_path / "page.html")]
    assert main(["ask", str(tmp_path / "cards.png"), task.question, *words]) == 0
    told = capsys.readouterr()
    assert f"Answer: {task.answers[0]} (not graded)" in told.out and "crop image 1" in told.out
    assert "was trained only on" not in told.err
    assert main(["ask", str(tmp_path / "cards.png"), "Whose cat is it?", *words]) == 0
    assert "tiny-zoom was trained only on 'Which digit is on the red card?'" in capsys.readouterr().err

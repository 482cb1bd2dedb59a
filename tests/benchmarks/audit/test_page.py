"""The page of an audit: its tables, and the worst crops drawn on their sources."""

import re

from benchmarks.audit.command import main
from tests.benchmarks.audit.runs import EVIDENCE, answer, call, write_run, write_tasks

HOSTILE = "</td><script>window.pwned=1</script>"


def page_of(tmp_path, plays, *words, sizes=((640, 480),)):
    run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks", sizes), plays)
    assert main([str(run), "--page", str(tmp_path / "audit.html"), *words]) == 0
    return (tmp_path / "audit.html").read_text()


def test_a_wrong_crop_is_drawn_with_what_was_asked_for_what_was_delivered_and_the_evidence(tmp_path):
    text = page_of(tmp_path, [[[call(EVIDENCE.corners), answer("7")]]], "--asked", "shown")
    [figure] = re.findall("<figure>.*?</figure>", text, re.DOTALL)
    assert re.findall("<rect class='(\\w+)' ", figure) == ["asked", "delivered", "evidence"]
    assert figure.count("x='50.00' y='25.00' width='25.00' height='25.00'") == 4  # evidence, delivered; each twice
    assert "data:image/jpeg;base64," in figure and "Which digit is on card 0?" in figure
    assert "<td>asked / delivered</td>" in text


def test_a_crop_that_misses_the_evidence_is_drawn_after_those_and_one_of_each_question_first(tmp_path):
    missing, other = call((0.0, 0.5, 0.25, 0.75)), call((0.0, 0.6, 0.25, 0.85))
    plays = [[[missing, other, answer("7")]], [[call(EVIDENCE.corners), other, answer("7")]]]
    text = page_of(tmp_path, plays, "--worst", "2", sizes=[(640, 480), (480, 640)])
    captions = re.findall("<figcaption>(.*?)</figcaption>", text)
    assert ["card 0" in captions[0], "card 1" in captions[1], len(captions)] == [True, True, 2]
    assert all("0% of it delivered" in caption for caption in captions)
    assert "<figure>" not in page_of(tmp_path, plays, "--worst", "0", sizes=[(640, 480), (480, 640)])


def test_texts_of_a_run_are_inert_on_the_page(tmp_path):
    text = page_of(tmp_path, [[[f"{HOSTILE} <crop> 1 1 9 9", answer("7")]]])
    assert "&lt;script&gt;" in text and "<script" not in text
    assert "default-src 'none'" in text

"""The measuring example counts what it says."""

import runpy

from tests.paths import EXAMPLES

MAIN = runpy.run_path(str(EXAMPLES / "measure_words.py"))["main"]


def test_innocent_and_stated_texts_are_counted_apart_and_nearly_all_are_told(capsys):
    found = MAIN(["--seeds", "20", "--questions", "110"])
    assert found.innocent == 200 and found.stopped_wrongly == 0
    assert 100 <= found.stated <= 200 and found.stopped / found.stated > 0.8
    assert found.forms[0] >= 300 and found.questions == 110 >= found.distinct > 100
    assert f"{found.stopped:,} of {found.stated:,}" in capsys.readouterr().out

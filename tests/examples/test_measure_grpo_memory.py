"""The measuring example tells what the memory of a training is made of."""

import json
import runpy
import sys

import pytest

from tests.paths import EXAMPLES


@pytest.mark.skipif(sys.platform != "linux", reason="it reads glibc's own figures")
def test_memory_is_measured_after_steps_and_its_parts_are_most_of_it(monkeypatch, capsys, tmp_path):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_grpo_memory.py"))["main"]
    rows = main(["--steps", "2", "--questions", "1", "--every", "1", "--file", str(tmp_path / "rows.jsonl")])
    written = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row.step for row in rows] == [1, 2, 2] and [row["step"] for row in written] == [1, 2]
    for row in rows:
        parts = row.libraries + row.python + row.in_use + row.slack
        assert 0.6 * row.rss < parts < 1.6 * row.rss and row.pictures + row.features + row.replay <= row.in_use
    assert "after malloc_trim: RSS" in capsys.readouterr().out

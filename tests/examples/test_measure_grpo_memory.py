"""The measuring example tells what the memory of a training is made of."""

import json
import os
import subprocess
import sys

import pytest

from tests.paths import EXAMPLES


@pytest.mark.skipif(sys.platform != "linux", reason="it reads glibc's own figures")
def test_memory_is_measured_after_steps_and_its_parts_are_most_of_it(tmp_path):
    # In a process of its own: what other tests have left is no part of a training.
    flags = ["--steps", "2", "--questions", "1", "--every", "1", "--file", str(tmp_path / "rows.jsonl")]
    command = [sys.executable, str(EXAMPLES / "measure_grpo_memory.py"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    written = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["step"] for row in written] == [1, 2]
    for row in written:
        parts = row["libraries"] + row["python"] + row["in_use"] + row["slack"]
        assert 0.6 * row["rss"] < parts < 1.6 * row["rss"]
        assert row["pictures"] + row["features"] + row["replay"] <= row["in_use"]
    assert "after malloc_trim: RSS" in done.stdout

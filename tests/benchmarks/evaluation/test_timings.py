"""How long answers took, over the folder of a run and those of its shards."""

import json

from benchmarks.evaluation.records import SECONDS, seconds_per_answer


def test_the_seconds_of_the_shards_count_as_those_of_the_whole_run(tmp_path):
    for folder, seconds in ((tmp_path, 2.0), (tmp_path / "shard-1-of-2", 6.0), (tmp_path / "shard-2-of-2", 13.0)):
        folder.mkdir(exist_ok=True)
        row = {"name": "learned_zoom", "answers": 2, "seconds": seconds}
        (folder / SECONDS).write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert seconds_per_answer(tmp_path) == {"learned_zoom": 3.5}

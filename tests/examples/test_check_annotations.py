"""The example reads annotation files without their images, and names the rows that are left out."""

import json
import runpy
import sys

from tests.paths import EXAMPLES
from tests.pixel_env.tasks import published_boards as boards


def test_annotations_are_read_with_pictures_that_stand_in(monkeypatch, capsys, tmp_path):
    boards.hr_bench_annotations(tmp_path / "hr")
    boards.charxiv(tmp_path / "charxiv")
    lines = tmp_path / "o3.jsonl"
    lines.write_text("\n".join(json.dumps(boards.O3_ROW | {"answer": answer}) for answer in "DX"))
    files = [tmp_path / "hr/hrbench_4k.jsonl", tmp_path / "charxiv/data/reasoning_val.json", lines]
    monkeypatch.setattr(sys, "argv", ["check_annotations.py", *map(str, files)])
    main = runpy.run_path(str(EXAMPLES / "check_annotations.py"))["main"]
    assert main() == 0
    said = capsys.readouterr().out
    assert "hrbench_4k.jsonl: 12 tasks of the format 'insight-o3' in 12 rows" in said
    assert "  clusters: 3\n  rotations: 12\n" in said and "  boxes: 1\n  left out: line 2: its answer 'X'" in said
    assert "reasoning_val.json: 5 tasks of the format 'charxiv-reasoning' in 5 rows" in said

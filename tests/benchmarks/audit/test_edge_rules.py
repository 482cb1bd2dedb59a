"""Boxes that an edge rule refuses, and what other rules would have made of them."""

import pytest

from benchmarks.audit.command import main
from tests.benchmarks.audit.runs import EVIDENCE, answer, call, figures_in, write_run, write_tasks

CASES = {
    "box_outside": ((0.5, 0.25, 1.2, 0.5), {"clamp": 1, "expand": 0, "any size": 0, "pad first": 1}),
    "crop_too_small": ((0.6, 0.3, 0.61, 0.31), {"clamp": 0, "expand": 1, "any size": 1, "pad first": 1}),
    "box_inverted": ((0.62, 0.31, 0.6, 0.35), {"clamp": 0, "expand": 0, "any size": 0, "pad first": 1}),
    "box_empty": ((0.5, 0.5, 0.5, 0.5), {"clamp": 0, "expand": 0, "any size": 0, "pad first": 1}),
}
"""By code: a box, and how many of one call the other rules execute."""


@pytest.fixture
def refused(tmp_path):
    """Audits one episode with these boxes; returns its part about refused boxes."""

    def audit(*boxes):
        plays = [[[*map(call, boxes), answer("7")]]]
        run = write_run(tmp_path / "run", write_tasks(tmp_path / "tasks"), plays)
        assert main([str(run), "--output", str(tmp_path / "audit.json")]) == 0
        return figures_in(tmp_path / "audit.json")["refused"]

    return audit


@pytest.mark.parametrize("code", CASES)
def test_a_refused_box_is_counted_with_the_rules_that_execute_it(code, refused):
    box, executed = CASES[code]
    part = refused(box, EVIDENCE.corners)
    assert part["boxes"] == 2 and set(part["by_code"]) == {code}
    assert part["by_code"][code]["n"] == 1 and part["by_code"][code]["executed"] == executed


def test_a_crop_that_another_rule_would_have_cut_at_the_evidence_is_counted_apart(refused, capsys):
    part = refused((0.5, 0.25, 1.2, 0.5), (0.0, 0.6, 0.3, 1.2))["by_code"]["box_outside"]
    assert part["executed"]["clamp"] == 2 and part["shows_evidence"]["clamp"] == 1
    assert "2 (1 at the evidence)" in capsys.readouterr().out


def test_a_call_that_is_refused_for_another_reason_holds_no_box_for_an_edge_rule(refused):
    assert refused((0.1, 0.1, 0.5, "x")) == {"boxes": 0, "by_code": {}}

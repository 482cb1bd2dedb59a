"""The measuring example plays and learns from the same rows on both sides, each in a process of its own."""

import runpy

import pytest

from tests.paths import EXAMPLES

SMALL = ["--episodes", "4", "--group", "2", "--micro_batch", "2", "--max_turns", "3", "--turn_tokens", "8", "12"]


def test_our_trainer_and_trls_are_measured_on_the_same_rows(monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_update.py"))["main"]
    sides = main([*SMALL, "--steps", "1", "--seed", "2"])
    ours, trl = sides["ours"], sides["TRL"]
    assert ours.ids_digest == trl.ids_digest and ours.tokens == trl.tokens > 4 * 8
    assert ours.loss == pytest.approx(trl.loss, abs=1e-6) and ours.loss != 0
    # The same pictures too: what is left is the mass that TRL gives to tokens that are never sampled.
    assert 0 < ours.mean_log_prob - trl.mean_log_prob < 0.1
    for side in (ours, trl):
        assert min(*side.generation_s, *side.update_s, side.memory_mib) > 0
        assert all(min(seconds) > 0 for seconds in side.log_probs_s)
    printed = capsys.readouterr().out
    assert "the rows learned from are the same" in printed and "32 rows at a time" in printed

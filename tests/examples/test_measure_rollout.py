"""The measuring example runs, and its two ways of playing sample the same tokens."""

import runpy

from tests.paths import EXAMPLES

EXAMPLE = EXAMPLES / "measure_rollout.py"


def test_playing_together_and_one_by_one_is_measured_on_equal_episodes(tiny_model, tiny_processor, tmp_path, capsys):
    tiny_model.save_pretrained(tmp_path)
    tiny_processor.save_pretrained(tmp_path)
    main = runpy.run_path(str(EXAMPLE))["main"]
    assert main(["--model", str(tmp_path), "--episodes", "8", "--group", "4", "--max-turn-tokens", "4"]) > 0
    printed = capsys.readouterr().out
    assert "8 of 8 episodes have the same tokens" in printed
    assert "one by one" in printed

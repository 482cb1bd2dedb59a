"""The measuring example runs: what is kept over turns is not read again."""

import runpy

from tests.paths import EXAMPLES

SMALL = ["--episodes", "4", "--group", "2", "--max_turns", "4", "--turn_tokens", "8", "12", "--rounds", "1"]


def test_prompts_cost_less_where_turns_are_kept_and_the_parts_are_the_whole(monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_kept_turns.py"))["main"]
    kept, anew = main(SMALL).values()
    for seconds in (kept, anew):
        *parts, whole = seconds.values()
        assert abs(sum(parts) - whole) < 1e-6
    assert kept["the image tower"] < 0.8 * anew["the image tower"]
    printed = capsys.readouterr().out
    assert "tokens a second" in printed and "differ by at most" in printed

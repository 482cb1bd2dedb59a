"""Episodes of many turns do not wait for each other, and TRL's own loop, measured beside, really plays them all."""

import runpy

from tests.paths import EXAMPLES

EXAMPLE = EXAMPLES / "measure_turns.py"


def test_our_loop_is_close_to_the_longest_episode_and_faster_than_trls_lock_step_on_the_same_turns(capsys):
    main = runpy.run_path(str(EXAMPLE))["main"]
    work, measured = main(["--episodes", "16", "--token_ms", "4", "--operation_ms", "20"])
    ours, blocking, awaited = measured
    for way in measured:
        assert way.turns_E == tuple(len(turns) for turns in work.episodes)
        assert way.operations_E == tuple(len(turns) - 1 for turns in work.episodes)
        assert way.tokens == sum(sum(turns) for turns in work.episodes)
        assert way.peak_episodes > len(work.episodes) / 2  # on a busy machine a short one ends before the last begins
    # A sleep is never shorter than asked: whoever is faster than this has skipped something.
    assert ours.seconds >= work.ideal_s
    assert min(blocking.seconds, awaited.seconds) >= work.lock_step_s > 2 * work.ideal_s
    # Nearer to the ideal than to lock-step, each with what the machine adds to the sleeps.
    assert ours.seconds < (work.ideal_s + min(blocking.seconds, awaited.seconds)) / 2
    printed = capsys.readouterr().out
    assert "TRL's loop" in printed and "ideal" in printed

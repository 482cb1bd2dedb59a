from agents.run_log.console import duration, line_of
from agents.run_log.timing import StepTimes


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_every_second_counts_for_the_innermost_part():
    clock = Clock()
    times = StepTimes(clock)
    with times.part("scoring"):
        clock.now = 1.0
        with times.part("generation"):
            clock.now = 4.0
        clock.now = 4.5
        with times.part("generation"):
            clock.now = 5.5
    clock.now = 9.0  # in no part
    assert times.taken() == {"scoring": 1.5, "generation": 4.0}
    assert times.taken() == {}


def test_a_part_that_raises_is_counted_and_left():
    clock = Clock()
    times = StepTimes(clock)
    try:
        with times.part("generation"):
            clock.now = 2.0
            raise RuntimeError
    except RuntimeError:
        clock.now = 7.0
    assert times.taken() == {"generation": 2.0}


def test_a_line_has_the_figures_that_there_are():
    metrics = {"loss": 0.5, "reward": 0.25, "accuracy": 0.125, "rapr": 1.0, "completions/mean_length": 150.4}
    line = line_of(7, 240, metrics | {"learning_rate": 1e-6}, seconds_a_step=20.0)
    assert line == (
        "step   7/240  reward 0.250  accuracy 0.125  RaPR 1.000  loss 0.5000  tokens 150  20 s/step  left 78 min"
    )
    assert "lr 2.0e-05" in line_of(1, 2, {"loss": 1.0, "learning_rate": 2e-5}, seconds_a_step=None)


def test_a_training_of_one_step_is_one_step():
    assert line_of(1, 1, {"train_runtime": 3.0}, seconds_a_step=None) == "trained: 1 step in 3 s"
    assert line_of(2, 2, {"train_runtime": 3.0}, seconds_a_step=None) == "trained: 2 steps in 3 s"


def test_a_line_says_where_no_rollout_has_an_advantage_and_nothing_else_is_learned_from():
    told = "  nothing to learn from: all advantages are 0  2 s/step"
    assert told in line_of(1, 9, {"reward": 0.0, "filtered": 1.0, "replay/share": 0.0}, seconds_a_step=2.0)
    for other in ({}, {"filtered": 0.75}, {"filtered": 1.0, "replay/share": 0.5}, {"filtered": 1.0, "kl": 0.0}):
        assert "nothing to learn" not in line_of(1, 9, {"reward": 0.0, **other}, seconds_a_step=2.0)


def test_an_evaluation_is_one_line_with_its_interval():
    figures = {"eval_accuracy": 0.5, "eval_accuracy_low": 0.4, "eval_accuracy_high": 0.6, "eval_accuracy_n": 96.0}
    assert line_of(7, 9, figures, seconds_a_step=1.0) == "step 7/9  held-out:  accuracy 0.500  (0.400 to 0.600, n = 96)"


def test_durations_are_read_at_a_glance():
    assert [duration(seconds) for seconds in (4.4, 600, 3 * 3600 + 290)] == ["4 s", "10 min", "3 h 05 min"]

"""The paired comparison of two evaluations."""

import json
from math import isclose

import pytest

from benchmarks.evaluation.compare import Graded, compared, main
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM
from benchmarks.evaluation.records import ROWS
from pixel_env.cli import main as command_line
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore


def run(folder, grades, *, policy=LEARNED_ZOOM, sample=None, question="Which?", category="a", **config):
    """A run with these grades by task id."""
    store = TrajectoryStore(folder / ROWS)
    for task_id, reward in grades.items():
        fixed = {"question": question, "answers": ["red"], "category": category, "stop": "answered"}
        store.append({"task_id": task_id, "policy": policy, "sample": sample, "reward": reward, **fixed})
    (folder / "configuration.json").write_text(json.dumps({"model": "m", "seed": 0, **config}))
    return str(folder)


def graded(*grades):
    return [Graded("q", ("a",), "", (float(grade),)) for grade in grades]


def test_the_difference_is_paired():
    found = compared(graded(*[1, 0] * 50), graded(*[1, 1] * 50), seed=0)
    assert (found.first, found.second, found.difference.value) == (0.5, 1.0, 0.5)
    assert (found.only_first, found.only_second) == (0, 50) and found.p == 2 / 2**50
    assert 0.39 < found.difference.low < 0.42 and 0.58 < found.difference.high < 0.61
    same = compared(graded(*[1, 0] * 50), graded(*[1, 0] * 50), seed=0)
    assert (same.difference.low, same.difference.high, same.p) == (0.0, 0.0, 1.0)


def test_partial_grades_have_an_interval_and_no_p():
    found = compared(graded(0.5, 1.0, 0.0), graded(0.75, 1.0, 0.0), seed=0)
    assert found.p is None and isclose(found.difference.value, 0.25 / 3)


def clustered(*grades, size=4):
    return [Graded("q", ("a",), "", (float(grade),), f"c{n // size}") for n, grade in enumerate(grades)]


def test_questions_of_one_cluster_are_compared_as_one():
    """Three clusters of four: the second run is better in two of them, by all four, and worse in none."""
    first, second = clustered(*[0] * 12), clustered(*[1] * 8, *[0] * 4)
    found = compared(first, second, seed=0)
    assert (found.only_first, found.only_second, found.difference.clusters) == (0, 8, 3)
    assert found.p == pytest.approx(2 / 4)  # McNemar's would be 2 / 2^8
    # Sums of residuals 4/3, 4/3, -8/3: V = 3/2 * 32/3 / 144 = 1/9, and t with 2 degrees of freedom is 4.303.
    assert found.difference.high - found.difference.value == pytest.approx(4.303 / 3, abs=1e-3)
    alone = compared(clustered(*[0] * 12, size=1), clustered(*[1] * 8, *[0] * 4, size=1), seed=0)
    assert alone == compared(graded(*[0] * 12), graded(*[1] * 8, *[0] * 4), seed=0)


def test_a_run_made_before_its_set_named_clusters_is_compared_by_those_of_the_other():
    bare, named = graded(0, 0, 0, 0), clustered(1, 1, 0, 0, size=2)
    assert compared(bare, named, seed=0).difference.clusters == 2 == compared(named, bare, seed=0).difference.clusters


def test_two_runs_are_compared_over_all_questions_and_by_category(tmp_path, capsys):
    for name, rewards in (("a", (0.0, 1.0)), ("b", (1.0, 1.0))):
        run(tmp_path / name, {f"x{n}": rewards[0] for n in range(8)}, category="colour", model=name)
        run(tmp_path / name, {f"y{n}": rewards[1] for n in range(4)}, category="place", model=name)
    assert command_line(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "model (A: a, B: b)" in out and "seed" not in out
    rows = {line.split()[0]: line.split() for line in out.splitlines()[3:]}
    assert rows["all"][1:5] == ["12", "0.333", "1.000", "+0.667"] and rows["all"][-3:] == ["0", "8", "0.00781"]
    assert rows["colour"][1] == "8" and rows["place"][-1] == "1"


def test_two_policies_of_one_run_are_compared(tmp_path, capsys):
    folder = run(tmp_path / "a", {"x": 1.0, "y": 1.0})
    run(tmp_path / "a", {"x": 0.0, "y": 1.0}, policy=NO_ZOOM)
    main([folder, folder, "--policy", NO_ZOOM, "--other-policy", LEARNED_ZOOM])
    out = capsys.readouterr().out
    assert "A: " in out and "no zoom" in out and "Configurations: the same" in out and "+0.500" in out


def test_samples_are_compared_by_each_questions_mean(tmp_path, capsys):
    for name, rewards in (("a", (0.0, 1.0)), ("b", (1.0, 1.0))):
        for number, reward in enumerate(rewards):
            run(tmp_path / name, {"x": reward, "y": reward}, sample=number)
    main([str(tmp_path / "a"), str(tmp_path / "b"), "--policy", "sampled"])
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[:5] == ["all", "2", "0.500", "1.000", "+0.500"] and row[-1] == "-"


def test_a_question_that_was_played_again_counts_once(tmp_path, capsys):
    folder = run(tmp_path / "a", {"x": 0.0, "y": 0.0})
    run(tmp_path / "a", {"x": 1.0})
    main([folder, folder])
    assert capsys.readouterr().out.splitlines()[-1].split()[1:3] == ["2", "0.500"]


def test_runs_of_other_questions_are_refused_naming_one(tmp_path):
    first = run(tmp_path / "a", {"x": 1.0, "y": 1.0})
    second = run(tmp_path / "b", {"x": 1.0, "z": 1.0})
    with pytest.raises(ConfigError, match=r"'y' is only in .*a \(2 are in one run only\)"):
        main([first, second])
    third = run(tmp_path / "c", {"x": 1.0, "y": 1.0}, question="Where?")
    with pytest.raises(ConfigError, match=r"'x' is 'Which\?' .* 'Where\?'"):
        main([first, third])


def test_a_folder_without_such_answers_is_refused_with_what_it_holds(tmp_path):
    folder = run(tmp_path / "a", {"x": 1.0})
    run(tmp_path / "a", {"x": 1.0}, sample=0)
    with pytest.raises(ConfigError, match="no answers of the policy 'no_zoom'; it holds: learned_zoom, sampled"):
        main([folder, folder, "--policy", NO_ZOOM])
    with pytest.raises(ConfigError, match="no answers of the policy 'learned_zoom'; it holds: nothing"):
        main([folder, str(tmp_path / "nowhere")])


def test_a_seed_below_zero_is_refused(tmp_path, capsys):
    folder = run(tmp_path / "a", {"x": 1.0})
    assert command_line(["compare", folder, folder, "--seed", "-1"]) == 2
    assert "--seed: got '-1'; wanted: a whole number, at least 0" in capsys.readouterr().err

import itertools
import json
import shlex
from dataclasses import replace

import pytest
import yaml

from agents.config.arguments import command_line, parse
from benchmarks.pipeline.chain import EASY, HARD, read_recipe
from benchmarks.pipeline.seed_files import file_of
from benchmarks.studies.curves import Curve
from benchmarks.studies.replay.report import area_weights, comparison_table, contrast, markdown, outcomes
from benchmarks.studies.replay.results import (
    ARMS,
    FILTER,
    NO_FILTER,
    REPLAY,
    ArmResult,
    SeedResult,
    read_result,
    write_result,
)
from benchmarks.studies.replay.study import LOGGED, OneSeed, ReplayStudyConfig, main, means_between
from pixel_env.cli import main as command
from pixel_env.errors import ConfigError

ROLLOUTS = (0, 32, 64)


def arm(shares, *, questions=40, seconds=100.0, logs=True):
    """An arm that answers these shares of the questions right, the first ones."""
    letters = ["1" * round(share * questions) + "0" * (questions - round(share * questions)) for share in shares]
    log = {metric: (0.25, 0.5) if logs or not metric.startswith("replay") else (None, None) for metric in LOGGED}
    return ArmResult(tuple({HARD: right, EASY: "1" * questions} for right in letters), seconds, log)


def seed_of(number=0, *, key="key", gain=0.2):
    """A seed on which replay ends `gain` above the other two arms."""
    without = arm((0.5, 0.6), logs=False)
    start = {HARD: "1" * 16 + "0" * 24, EASY: "1" * 40}
    arms = {NO_FILTER: without, FILTER: replace(without, cpu_seconds=60.0), REPLAY: arm((0.5 + gain, 0.6 + gain))}
    return SeedResult(key, number, ROLLOUTS, start, arms)


# ------------------------------------------------------------------------------------------------------- the study


def test_a_quick_study_trains_three_arms_evaluates_their_checkpoints_and_is_not_run_again(
    tiny_checkpoint, in_this_process, tmp_path, capsys
):
    arguments = ["--quick", "--seeds", "1", "--model", str(tiny_checkpoint), "--run", str(tmp_path / "runs")]
    arguments += ["--results", str(tmp_path / "results")]
    assert main(arguments) == 0
    trainings = ["no filter", "filter", "replay"]
    assert in_this_process == ["start", *itertools.chain(*([name, f"{name} 1", f"{name} 2"] for name in trainings))]
    row = read_result(tmp_path / "results", 0)
    assert row.rollouts == (0, 8, 16) and set(row.arms) == set(ARMS)
    assert all(len(at[category]) == 4 for at in row.arms[REPLAY].checkpoints for category in (HARD, EASY))
    assert None not in row.arms[REPLAY].log["replay/share"] and row.arms[FILTER].log["replay/share"] == (None, None)
    out = capsys.readouterr().out
    assert (
        "filter and replay" in out
        and "pixel-env replay-study --seeds 1" in (tmp_path / "results/README.md").read_text()
    )

    in_this_process.clear()
    assert main(arguments) == 0
    assert in_this_process == [] and "seed 0: measured before" in capsys.readouterr().out


def test_only_seeds_that_are_missing_or_have_other_settings_are_measured(tmp_path, monkeypatch, capsys):
    key = OneSeed(ReplayStudyConfig(), 0).key
    write_result(tmp_path, seed_of(0, key=key))
    write_result(tmp_path, seed_of(1, key="of other settings"))
    measured = []

    def measure(study):
        measured.append(study.seed)
        return seed_of(study.seed, key=study.key)

    monkeypatch.setattr(OneSeed, "measure", measure)
    assert main(["--seeds", "3", "--results", str(tmp_path)]) == 0
    assert measured == [1, 2]
    assert "seed-1.json has other settings" in capsys.readouterr().err
    assert [read_result(tmp_path, seed).key for seed in range(3)] == [key] * 3


def test_a_broken_file_is_told_before_anything_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(OneSeed, "measure", lambda study: pytest.fail("a seed was measured"))
    file_of(tmp_path, 2).write_text("{")
    with pytest.raises(ConfigError, match=r"seed-2\.json"):
        main(["--seeds", "3", "--results", str(tmp_path)])


def test_the_key_goes_with_settings_and_not_with_the_seed_or_the_place(tmp_path):
    key = OneSeed(ReplayStudyConfig(), 0).key
    assert OneSeed(ReplayStudyConfig(output_dir=str(tmp_path), results=str(tmp_path), seeds=1), 3).key == key
    edited = tmp_path / "edited.yaml"
    edited.write_text(yaml.safe_dump(read_recipe("tiny_replay_correctness") | {"replay_alpha": 0.5}))
    others = [{"recipe": str(edited)}, {"model": "tiny-base"}, {"points": 5}, {"test_questions": 400}, {"quick": True}]
    assert len({key, *(OneSeed(ReplayStudyConfig(**other), 0).key for other in others)}) == 1 + len(others)


def test_arms_differ_in_filter_and_replay_alone():
    study = OneSeed(ReplayStudyConfig(), 7)
    recipes = [dict(study.training(name).recipe) for name in ARMS]
    settings = [(recipe.pop("filter_zero_advantage"), recipe.pop("replay_capacity")) for recipe in recipes]
    assert settings == [(False, 0), (True, 0), (True, 128)]
    assert len({recipe.pop("output_dir") for recipe in recipes}) == 3
    assert recipes[0] == recipes[1] == recipes[2] and recipes[0]["seed"] == 7


def test_all_checkpoints_are_asked_the_same_held_out_questions():
    study = OneSeed(ReplayStudyConfig(), 7)
    first, second = (dict(study.evaluation(name, f"model of {name}").recipe) for name in ("start", "replay_25"))
    assert first.pop("model") != second.pop("model") and first.pop("output_dir") != second.pop("output_dir")
    assert first == second and first["split"] == "test"


def test_points_that_do_not_divide_the_steps_are_refused():
    with pytest.raises(ConfigError, match="60 steps cannot be divided into 7 equal parts"):
        OneSeed(ReplayStudyConfig(points=7), 0)


def test_quick_figures_are_kept_out_of_the_folder_of_the_real_ones():
    with pytest.raises(ConfigError, match="--results FOLDER"):
        main(["--quick", "--seeds", "1"])


def test_the_page_names_the_command_that_measured_it():
    config = ReplayStudyConfig(seeds=2, model="my model", quick=True)
    assert command_line(config, "replay-study") == "pixel-env replay-study --seeds 2 --model 'my model' --quick"
    assert parse(shlex.split(command_line(config, "replay-study"))[2:], ReplayStudyConfig, "replay-study") == config


def test_a_logged_figure_is_averaged_between_checkpoints_and_none_where_it_was_not_logged():
    curve = Curve("age", (1, 2, 3), (1.0, 2.0, 6.0))
    assert means_between(curve, (2, 4, 6)) == (1.5, 6.0, None)


# --------------------------------------------------------------------------------------------------- a seed's file


def test_a_seeds_file_is_read_back_as_it_was_written(tmp_path):
    write_result(tmp_path, seed_of(3))
    assert read_result(tmp_path, 3) == seed_of(3) and read_result(tmp_path, 4) is None


@pytest.mark.parametrize("text", ["", '{"key": "key", "seed"', "[]", "{}", '{"key": "key", "arms": {"filter": 1}}'])
def test_a_broken_file_of_a_seed_is_an_error_that_names_it(tmp_path, capsys, text):
    file_of(tmp_path, 0).write_text(text)
    assert command(["replay-study", "--seeds", "1", "--results", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert str(file_of(tmp_path, 0)) in said and "delete it" in said
    assert file_of(tmp_path, 0).read_text() == text


# ------------------------------------------------------------------------------------------------------ the report


def test_the_area_is_the_mean_over_rollouts_under_straight_lines():
    assert area_weights((0, 10, 20)).tolist() == [0.25, 0.5, 0.25]
    weights = area_weights((0, 10, 30))
    assert weights.sum() == pytest.approx(1) and weights @ [0, 1, 0] == pytest.approx(0.5)


def test_differences_are_of_the_same_questions_at_the_same_number_of_rollouts():
    rows = [seed_of(0), seed_of(1, gain=0.1)]
    assert outcomes(rows, FILTER).shape == (2, 3, 40)
    assert contrast(rows, "at the end", "replay - filter").mean(axis=1) == pytest.approx([0.2, 0.1])
    # The gain begins halfway: nothing at the start, then all of it.
    assert contrast(rows, "area", "replay - filter").mean(axis=1) == pytest.approx([0.15, 0.075])
    assert not contrast(rows, "area", "filter - no filter").any()


@pytest.mark.parametrize(("gain", "verdict"), [(0.3, "better"), (-0.3, "worse"), (0.0, "no significant difference")])
def test_the_report_says_what_came_out_whichever_way(gain, verdict):
    rows = [seed_of(seed, gain=gain) for seed in range(3)]
    assert f"at the end, {verdict}" in comparison_table(rows)
    assert f"at the end, {verdict}" in markdown(rows, "pixel-env replay-study")


def test_the_report_counts_how_often_the_filter_changed_an_outcome():
    rows = [seed_of(0)]
    assert "160 of 160 held-out outcomes" in comparison_table(rows)
    other = replace(rows[0], arms={**rows[0].arms, FILTER: arm((0.5, 0.55))})
    assert "158 of 160 held-out outcomes" in comparison_table([other])


def test_seeds_that_do_not_agree_are_not_called_better():
    rows = [seed_of(seed, gain=gain) for seed, gain in enumerate((0.4, 0.4, 0.0))]
    assert contrast(rows, "at the end", "replay - filter").mean() > 0.2
    sentence = "no significant difference: at least one interval contains zero (higher in 2 of 3 seeds)"
    assert sentence in comparison_table(rows)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_page_has_every_table_for_one_seed_and_for_several(seeds):
    page = markdown([seed_of(seed) for seed in range(seeds)], "pixel-env replay-study")
    assert "nan" not in page
    assert "| arm | 0 rollouts | 32 rollouts | 64 rollouts | area |" in page
    assert "| filter | 60 | 0.600 |" in page
    assert "| rows replayed | filter and replay | 0.250 | 0.500 |" in page
    tables = [
        list(lines) for is_row, lines in itertools.groupby(page.splitlines(), lambda line: line[:1] == "|") if is_row
    ]
    assert len(tables) == 4
    assert all(len({line.count("|") for line in lines}) == 1 for lines in tables)


def test_a_seeds_file_is_small(tmp_path):
    questions = "01" * 300
    row = seed_of()
    arms = {name: replace(one, checkpoints=({HARD: questions, EASY: questions},) * 4) for name, one in row.arms.items()}
    write_result(tmp_path, replace(row, arms=arms))
    assert file_of(tmp_path, 0).stat().st_size < 30_000
    assert json.loads(file_of(tmp_path, 0).read_text())["seed"] == 0

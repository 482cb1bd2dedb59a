import itertools
import math
import shlex
import xml.etree.ElementTree as ElementTree
from dataclasses import fields, replace
from pathlib import Path

import pytest

from agents.chat.plain import PlainChat
from agents.config.arguments import command_line, parse
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.evaluation.policies import LEARNED_ZOOM, ORACLE_ZOOM, WRONG_ZOOM, oracle_window, policy_named
from benchmarks.evaluation.records import Evaluation, Record
from benchmarks.pipeline import stages
from benchmarks.pipeline.chain import HARD, Chain, read_recipe
from benchmarks.pipeline.seed_files import file_of
from benchmarks.studies.self_correction.report import CLAIMS, FIGURES, chart, comparison_table, differences, markdown
from benchmarks.studies.self_correction.results import (
    CHECKPOINTS,
    LEARNED,
    MISTAKES_TRAINED,
    SELF_CORRECTION,
    SINGLE_PASS,
    WARM_STARTS,
    Figures,
    SeedResult,
    figures_of,
    read_result,
    write_result,
)
from benchmarks.studies.self_correction.study import SftStudyConfig, main, sizes, stages_of, study_key
from pixel_env.actions import write
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.operations.crop_image import CropImage
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer, Limits

TINY = dialect_named("tiny")
CHAT = PlainChat(TINY)
RUN = Path("runs/seed-7")
SET = load_tasks("sample:vstar-tiny", split="test", count=8)
SETTINGS = EpisodeSettings(TINY, Limits(3), SET.budgets)


def seed_of(number=0, *, key="key", gain=0.2, **changed):
    """A seed in which self-correction is `gain` better than single pass and than trained mistakes, in everything."""
    low = Figures(**{one.name: 0.4 for one in fields(Figures)})
    high = replace(low, recovers=0.4 + gain, accuracy=0.4 + gain, rapr=0.4 + gain)
    trained = replace(low, misses=0.4 + gain, greedy_misses=0.4 + gain)
    found = {
        SINGLE_PASS: low,
        SELF_CORRECTION: high,
        MISTAKES_TRAINED: trained,
        LEARNED[SINGLE_PASS]: low,
        LEARNED[SELF_CORRECTION]: high,
    }
    return SeedResult(key, number, 400, found | changed)


# ------------------------------------------------------------------------------------------------------- the study


def test_a_quick_study_trains_five_checkpoints_evaluates_them_and_is_not_run_again(
    tiny_checkpoint, in_this_process, tmp_path, capsys
):
    arguments = ["--quick", "--seeds", "1", "--base", str(tiny_checkpoint), "--run", str(tmp_path / "runs")]
    arguments += ["--results", str(tmp_path / "results")]
    assert main(arguments) == 0
    trainings = [title for title in in_this_process if not title.endswith("evaluation")]
    names = [SINGLE_PASS, SELF_CORRECTION, *LEARNED.values(), MISTAKES_TRAINED]
    assert trainings == [name.replace("_", " ") for name in names]
    assert len(in_this_process) == 2 * len(CHECKPOINTS)
    out = capsys.readouterr().out
    assert "undecided" in out and "after a wrong first crop: recovers" in out
    page = (tmp_path / "results/README.md").read_text()
    assert "pixel-env sft-study --seeds 1" in page and "(figure.svg)" in page and "nan" not in page
    assert (tmp_path / "results/figure.svg").exists()

    in_this_process.clear()
    assert main(arguments) == 0
    assert in_this_process == [] and "seed 0: measured before" in capsys.readouterr().out


def test_a_seed_that_was_cut_goes_on_at_the_first_stage_that_is_not_finished(
    in_this_process, tmp_path, monkeypatch, capsys
):
    begun = []

    def run_jobs(jobs, *, workers, threads):
        begun.append([job.title for job in jobs])
        if len(begun) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(stages, "run_jobs", run_jobs)
    arguments = ["--quick", "--seeds", "1", "--run", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
    assert main(arguments) == 130
    assert "to resume at: learning" in capsys.readouterr().err
    begun.append([])
    with pytest.raises(ConfigError, match="no evaluation"):  # none of these jobs leaves anything
        main(arguments)
    assert begun[3] == begun[1] == ["single pass learned", "self correction learned"]
    assert not (tmp_path / "results").exists()


def test_the_warm_starts_differ_in_their_traces_alone():
    chain = Chain(sizes(quick=False), "tiny-base", 7, RUN)
    jobs = {job.folder.name: job for stage in stages_of(chain) for job in stage.jobs}
    recipes = [dict(jobs[name].recipe) for name in WARM_STARTS]
    assert [recipe.pop("traces") for recipe in recipes] == [
        f"synth.warm_starts.generator:{name}_warm_start" for name in WARM_STARTS
    ]
    assert len({recipe.pop("output_dir") for recipe in recipes}) == 3
    assert recipes[0] == recipes[1] == recipes[2]
    assert recipes[0]["seed"] == 7 and recipes[0]["max_turns"] == 3


def test_learning_differs_in_the_warm_start_alone_and_all_are_asked_the_same_questions():
    chain = Chain(sizes(quick=False), "tiny-base", 7, RUN)
    jobs = {job.folder.name: job for stage in stages_of(chain) for job in stage.jobs}
    for names, place in ((LEARNED.values(), "model_name_or_path"), ([f"{n}_evaluation" for n in CHECKPOINTS], "model")):
        recipes = [dict(jobs[name].recipe) for name in names]
        assert (
            len({recipe.pop(place) for recipe in recipes})
            == len({r.pop("output_dir") for r in recipes})
            == len(recipes)
        )
        assert all(recipe == recipes[0] for recipe in recipes) and recipes[0]["max_turns"] == 3
    assert recipes[0]["split"] == "test"


def test_the_key_goes_with_settings_and_not_with_the_seed_or_the_place(tmp_path):
    def key(quick=False, base="tiny-base", seed=0, run=RUN):
        return study_key(Chain(sizes(quick=quick), base, seed, run))

    assert key(seed=3, run=tmp_path) == key()
    assert len({key(), key(quick=True), key(base="tiny-warm")}) == 3


def test_quick_figures_and_those_of_other_seeds_are_kept_out_of_the_folder_of_the_real_ones():
    for flag in (["--quick"], ["--first_seed", "100"]):
        with pytest.raises(ConfigError, match="--results FOLDER"):
            main([*flag, "--seeds", "1"])


def test_the_page_names_the_command_that_measured_it():
    config = SftStudyConfig(seeds=2, model="my model", quick=True)
    assert command_line(config, "sft-study") == "pixel-env sft-study --seeds 2 --model 'my model' --quick"
    assert parse(shlex.split(command_line(config, "sft-study"))[2:], SftStudyConfig, "sft-study") == config


def test_a_second_look_has_room_and_is_clipped_as_one_look_is():
    one, two = (read_recipe(name) for name in ("tiny_grpo_paper", "tiny_grpo_two_looks"))
    assert two["max_turns"] == one["max_turns"] + 1 and two["group_reward"] == one["group_reward"] == "paper"
    assert two["max_turns"] * two["max_turn_tokens"] <= two["max_completion_length"]
    scale = one["max_completion_length"] / two["max_completion_length"]
    assert two["max_grad_norm"] == pytest.approx(one["max_grad_norm"] * scale)
    assert two["task_count"] == two["max_steps"] * 12
    assert all(read_recipe(f"tiny_warm_{arm}")["max_turns"] == two["max_turns"] for arm in WARM_STARTS)


# ------------------------------------------------------------------------------------------------------ the figures


def played(policy, says, sample=None):
    """The hard questions of SET under a policy, by a model that says what `says(task)` gives, in turn."""
    records = []
    forced = policy_named(policy, SETTINGS, CHAT, seed=0).forced
    for task in (task for task in SET.tasks if task.category == HARD):
        scripted = [] if forced is None else forced(task)
        [episode] = rollout(
            [task],
            ScriptedEngine(in_turn(*scripted, *says(task)), CHAT),
            CHAT,
            settings=SETTINGS,
            sampling=Sampling(0.0),
            seed=0,
            forced=forced,
        )
        records.append(Record(episode.trajectory, policy, sample))
    return records


def answer(task):
    return write(Answer(task.answers[0]), TINY)


def right_look(task):
    return write(CropImage(0, oracle_window(task)), TINY)


def wrong_look(task):
    [text] = policy_named(WRONG_ZOOM, SETTINGS, CHAT, seed=1).forced(task)
    return text


def measured(after_a_miss, own):
    """The figures of a model that does `after_a_miss` when it was made to look in a wrong place, and else `own`."""
    records = [*played(WRONG_ZOOM, after_a_miss), *played(LEARNED_ZOOM, own), *played(LEARNED_ZOOM, own, sample=0)]
    records += played(ORACLE_ZOOM, lambda task: [answer(task)])
    return figures_of(Evaluation(SET, SET.budgets, records))


def test_who_looks_again_in_the_right_place_and_answers_right_recovers():
    found = measured(lambda task: [right_look(task), answer(task)], lambda task: [right_look(task), answer(task)])
    assert (found.looks_again, found.next_hits, found.right_after_miss, found.recovers) == (1.0, 1.0, 1.0, 1.0)
    assert (found.misses, found.greedy_misses, found.hits) == (0.0, 0.0, 1.0)
    assert (found.accuracy, found.with_oracle, found.rapr, found.calls) == (1.0, 1.0, 1.0, 1.0)
    assert math.isnan(found.easy_accuracy)


def test_a_lucky_answer_and_a_second_look_beside_it_do_not_recover():
    lucky = measured(lambda task: [answer(task)], lambda task: [wrong_look(task), right_look(task), answer(task)])
    assert (lucky.looks_again, lucky.right_after_miss, lucky.recovers) == (0.0, 1.0, 0.0)
    assert (lucky.misses, lucky.hits, lucky.calls, lucky.accuracy) == (1.0, 0.0, 2.0, 1.0)
    blind = measured(lambda task: [wrong_look(task), answer(task)], lambda task: [answer(task)])
    assert (blind.looks_again, blind.next_hits, blind.recovers) == (1.0, 0.0, 0.0)
    assert math.isnan(blind.misses) and math.isnan(blind.hits) and blind.rapr == 0.0


# --------------------------------------------------------------------------------------------------- a seed's file


def test_a_seeds_file_is_read_back_as_it_was_written(tmp_path):
    row = seed_of(3)
    write_result(tmp_path, row)
    assert read_result(tmp_path, 3, "key") == row and read_result(tmp_path, 4, "key") is None
    without_looks = replace(row.checkpoints[SINGLE_PASS], misses=math.nan)
    write_result(tmp_path, seed_of(4, single_pass=without_looks))
    assert math.isnan(read_result(tmp_path, 4, "key").checkpoints[SINGLE_PASS].misses)


def test_a_file_with_other_settings_or_a_broken_one_is_measured_again(tmp_path, capsys):
    write_result(tmp_path, seed_of(0))
    assert read_result(tmp_path, 0, "other") is None and "other settings" in capsys.readouterr().err
    for text in ("", '{"key": "key", "seed"', "[]", '{"key": "key", "checkpoints": {}}'):
        file_of(tmp_path, 1).write_text(text)
        assert read_result(tmp_path, 1, "key") is None and "is broken" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ the report


@pytest.mark.parametrize(("gain", "verdict"), [(0.3, "held"), (-0.3, "not held"), (0.0, "not held")])
def test_the_report_says_what_came_out_whichever_way(gain, verdict):
    rows = [seed_of(seed, gain=gain) for seed in range(3)]
    told = comparison_table(rows).splitlines()[-len(CLAIMS) :]
    assert all(f": {verdict}. " in line for line in told)


def test_seeds_that_do_not_agree_and_a_single_seed_decide_nothing():
    apart = [seed_of(seed, gain=gain) for seed, gain in enumerate((0.4, 0.4, -0.3))]
    for rows in (apart, [seed_of(0)]):
        told = comparison_table(rows).splitlines()[-len(CLAIMS) :]
        assert all(": undecided. " in line for line in told)


def test_a_difference_is_between_arms_of_the_same_seed():
    rows = [seed_of(0, gain=0.1), seed_of(1, gain=0.3)]
    assert all(differences(rows, claim) == pytest.approx([0.1, 0.3]) for claim in CLAIMS)


def test_a_seed_without_a_figure_is_left_out_of_both_means_and_of_the_count():
    rows = [seed_of(0, gain=0.1), seed_of(1, gain=0.3), seed_of(2, gain=0.9)]
    without = replace(rows[2].checkpoints[MISTAKES_TRAINED], misses=math.nan)
    rows[2] = seed_of(2, gain=0.9, mistakes_trained=without)
    told = next(line for line in comparison_table(rows).splitlines() if "sampled at temperature 1" in line)
    assert "0.600 (self-correction, mistakes trained) and 0.400" in told and "difference +0.200" in told
    assert "in 2 of 2 seeds" in told
    nobody = [seed_of(0, mistakes_trained=without)]
    assert "No seed has both figures" in comparison_table(nobody)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_page_has_its_tables_and_the_chart_its_bars_for_one_seed_and_for_several(seeds):
    rows = [seed_of(seed) for seed in range(seeds)]
    page = markdown(rows, "pixel-env sft-study")
    assert "nan" not in page and all(f"| {title} |" in page for title in FIGURES.values())
    tables = [
        list(lines) for is_row, lines in itertools.groupby(page.splitlines(), lambda line: line[:1] == "|") if is_row
    ]
    assert len(tables) == 2
    assert all(len({line.count("|") for line in lines}) == 1 for lines in tables)
    drawn = ElementTree.fromstring(chart(rows))
    classes = [element.get("class") for element in drawn.iter()]
    bars = [name for name in classes if name and name.startswith("bar ")]
    assert len(bars) == 3 * 3 + 2 * 2  # trained mistakes are not learned from
    assert classes.count("whisker") == (0 if seeds == 1 else len(bars))

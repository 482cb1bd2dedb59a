import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from agents.config.arguments import command_line, parse
from benchmarks.evaluation.policies import POLICIES
from benchmarks.evaluation.records import ROWS
from benchmarks.pipeline.chain import Chain, read_recipe
from benchmarks.pipeline.preset import QUICK, Preset
from benchmarks.pipeline.seed_files import file_of
from benchmarks.pipeline.study import claimed_run
from benchmarks.studies.trap.findings import WARM_START, WITH
from benchmarks.studies.trap.report import markdown, prediction_sentence, trap_table
from benchmarks.studies.trap.study import (
    COMPETENT,
    COMPETENT_ARM,
    TrapConfig,
    chain_key,
    main,
    read_result,
    run_seed,
    stages_of,
    write_result,
)
from pixel_env.errors import ConfigError, UnknownNameError
from tests.benchmarks.runs import HABITS, make_run, write_evaluation


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("trap") / "seed-0", questions=24)
    write_evaluation(run / f"{COMPETENT}_evaluation", HABITS[WARM_START], POLICIES, count=24, samples=1)
    write_evaluation(run / f"{COMPETENT}_look", HABITS[WITH], (), count=24, samples=4, split="train")
    write_evaluation(run / f"{COMPETENT_ARM}_evaluation", HABITS[WITH], POLICIES, count=24, samples=1)
    return Chain(Preset(), "tiny-base", 0, run)


def test_a_seed_is_measured_once_and_again_with_other_settings(chain, tmp_path, capsys):
    write_result(chain, tmp_path, "key")
    assert read_result(tmp_path, 0, "key")["seed"] == 0
    assert read_result(tmp_path, 0, "other key") is None and "measured again" in capsys.readouterr().err
    assert read_result(tmp_path, 1, "key") is None


@pytest.mark.parametrize("text", ["", '{"key": "key", "seed"', "[]", "{}"])
def test_a_broken_file_of_a_seed_counts_as_not_measured(tmp_path, capsys, text):
    file_of(tmp_path, 0).write_text(text)
    assert read_result(tmp_path, 0, "key") is None
    assert "is broken, so the seed is measured again" in capsys.readouterr().err


def test_a_seed_whose_writing_is_cut_leaves_no_half_file(chain, tmp_path, monkeypatch):
    def cut(self, text, *_):
        with self.open("w") as file:
            file.write(text[:20])
        raise KeyboardInterrupt

    write_result(chain, tmp_path, "before")
    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(KeyboardInterrupt):
        write_result(chain, tmp_path, "key")
    assert read_result(tmp_path, 0, "before")["seed"] == 0


def test_finished_seeds_are_not_run_again(chain, tmp_path, capsys):
    results = tmp_path / "results"
    write_result(chain, results, chain_key(chain))
    assert main(["--seeds", "1", "--run", str(tmp_path / "runs"), "--results", str(results)]) == 0
    assert "measured before" in capsys.readouterr().out
    text = (results / "README.md").read_text()
    assert "pixel-env trap --seeds 1" in text and "stopped zooming" in text


def test_the_page_names_the_command_that_measured_it():
    assert command_line(TrapConfig(), "trap") == "pixel-env trap"
    config = TrapConfig(seeds=2, first_seed=100, model="my base", quick=True, preset="sizes.yaml")
    command = command_line(config, "trap")
    assert command == "pixel-env trap --seeds 2 --first_seed 100 --model 'my base' --quick --preset sizes.yaml"
    assert parse(shlex.split(command)[2:], TrapConfig, "trap") == config


def test_quick_figures_are_kept_out_of_the_folder_of_the_real_ones():
    with pytest.raises(ConfigError, match="--results FOLDER"):
        main(["--quick", "--seeds", "1"])


def test_the_key_goes_with_settings_and_not_with_the_seed_or_the_place(chain, tmp_path):
    elsewhere = Chain(Preset(), "tiny-base", 3, tmp_path)
    assert chain_key(elsewhere) == chain_key(chain)
    assert chain_key(Chain(QUICK, "tiny-base", 0, tmp_path)) != chain_key(chain)


def test_the_figures_tell_what_became_of_each_arm(chain, tmp_path):
    write_result(chain, tmp_path, "key")
    row = json.loads(file_of(tmp_path, 0).read_text())
    assert row["with_curiosity"]["outcome"] == row["competent_without_curiosity"]["outcome"] == "learned to look"
    assert row["without_curiosity"]["outcome"] == "gave looking up"
    page = markdown([row, {**row, "seed": 1}], "pixel-env trap")
    assert "| seed | mean" not in page and "With curiosity the model learned to zoom in 2 of 2 seeds" in page
    assert "with curiosity: learned zoom" in trap_table([row])


def test_a_seed_with_figures_missing_is_written_and_reported(chain, tmp_path):
    run = tmp_path / "seed-0"
    shutil.copytree(chain.run, run)
    rows = run / f"{WITH}_evaluation" / ROWS
    kept = [row for row in rows.read_text().splitlines(keepends=True) if json.loads(row)["sample"] is None]
    rows.write_text("".join(kept))  # no sampled rollout: no RaPR
    write_result(replace(chain, run=run), tmp_path, "key")
    row = read_result(tmp_path, 0, "key")
    assert row[WITH]["rapr"] is None and row[WITH]["easy_rapr"] is None
    [line] = [line for line in trap_table([row]).splitlines() if line.startswith("with curiosity: RaPR")]
    assert line.split()[-3:] == ["-", "-", "-"]
    assert "| with curiosity: RaPR | - | - | - |" in markdown([row], "pixel-env trap")


def test_predictions_are_counted():
    def row(verdict, was_right):
        return {"verdict": verdict, "prediction_was_right": was_right}

    rows = [
        {"clumsy": row("likely a trap", True), "competent": row("cannot be told", None)},
        {"clumsy": row("likely a trap", False), "competent": row("likely to learn", None)},
    ]
    sentence = prediction_sentence(rows)
    assert "right in 1 of the 2 cases" in sentence and "in 1 of 4 it was undecided" in sentence
    assert "In 1 the outcome" in sentence


def test_a_recipe_that_was_edited_does_not_stamp_a_seed_with_the_new_key(tmp_path):
    recipe = tmp_path / "paper.yaml"
    recipe.write_text(yaml.safe_dump(read_recipe("tiny_grpo_paper")))
    edited = Chain(Preset(with_curiosity=str(recipe)), "tiny-base", 0, tmp_path / "seed-0")
    with claimed_run(edited, stages_of(edited), quick=False):
        pass
    recipe.write_text(yaml.safe_dump(read_recipe("tiny_grpo_paper") | {"learning_rate": 0.5}))
    with pytest.raises(ConfigError, match=r"recipes \(was .* a fresh --output_dir"):
        run_seed(edited, tmp_path / "results", chain_key(edited), quick=False)
    assert not (tmp_path / "results").exists()


def test_arms_differ_in_their_reward_alone(chain):
    [_, _, learning, _] = stages_of(chain)
    with_bonus, without, competent = (dict(job.recipe) for job in learning.jobs)
    assert (with_bonus.pop("group_reward"), without.pop("group_reward")) == ("paper", "correctness")
    assert with_bonus.pop("output_dir") != without.pop("output_dir")
    assert with_bonus == without
    assert competent["model_name_or_path"].endswith(COMPETENT)


def test_a_recipe_that_does_not_ship_is_refused():
    with pytest.raises(UnknownNameError, match="tiny_grpo_paper"):
        read_recipe("tiny_grpo_papr")

import json
import os
from dataclasses import dataclass

import pytest

from agents.run_folder.configuration import FILE_NAME
from agents.run_folder.folder import RunFolder, checkpoint_to_resume, rank_of_process
from pixel_env.errors import ConfigError


@dataclass
class Settings:
    rate: float


def keep_configuration(folder, parts, *, resumes):
    with RunFolder.claimed(folder, parts, resumes=resumes) as claimed:
        claimed.keep_configuration()


def test_the_configuration_is_replaced_as_a_whole_never_written_over(tmp_path):
    keep_configuration(tmp_path, [Settings(1.0)], resumes=False)
    os.link(tmp_path / FILE_NAME, tmp_path / "before")
    keep_configuration(tmp_path, [Settings(2.0)], resumes=False)
    rates = [json.loads((tmp_path / name).read_text(encoding="utf-8"))["rate"] for name in ("before", FILE_NAME)]
    assert rates == [1.0, 2.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before", FILE_NAME]


def test_the_last_checkpoint_is_the_newest_whole_one(tmp_path):
    states = {"checkpoint-9": "{}", "checkpoint-10": "{}", "checkpoint-11": '{"step', "checkpoint-best": "{}"}
    for name, state in states.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").write_text(state, encoding="utf-8")
    (tmp_path / "checkpoint-12").mkdir()
    assert checkpoint_to_resume(tmp_path, "last") == str(tmp_path / "checkpoint-10")


def test_without_a_whole_checkpoint_the_run_starts_afresh_and_says_so(tmp_path, capsys):
    assert checkpoint_to_resume(tmp_path / "new", "last") is None
    assert "from the beginning" in capsys.readouterr().out


def test_a_run_does_not_start_beside_the_checkpoints_of_another_which_it_would_resume_with(tmp_path):
    keep_configuration(tmp_path, [Settings(1.0)], resumes=False)
    keep_configuration(tmp_path, [Settings(2.0)], resumes=False)  # nothing was learned yet
    (tmp_path / "checkpoint-6").mkdir()
    with pytest.raises(ConfigError, match=r"rate \(was 2\.0, is 3\.0\).*another --output_dir.* last.*delete") as told:
        keep_configuration(tmp_path, [Settings(3.0)], resumes=False)
    assert str(tmp_path) in str(told.value)
    assert json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8")) == {"rate": 2.0}
    keep_configuration(tmp_path, [Settings(2.0)], resumes=False)
    keep_configuration(tmp_path, [Settings(2.0)], resumes=True)
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(ConfigError, match=r"checkpoints of a run with an unknown configuration"):
        keep_configuration(tmp_path, [Settings(2.0)], resumes=False)


def test_another_configuration_names_what_differs_within_a_mapping_and_shortens_long_values(tmp_path):
    @dataclass
    class Played:
        protocol: dict

    before = Played({"name": "a", "about": "same", "limits": {"turns": 4, "images": 2}})
    keep_configuration(tmp_path, [before], resumes=True)
    (tmp_path / "checkpoint-6").mkdir()
    other = Played({"name": "b" * 999, "about": "same", "limits": {"turns": 6, "images": 2}})
    with pytest.raises(ConfigError, match=r"protocol \(limits turns was 4, is 6; name was 'a', is 'b+\.\.\.\)") as told:
        keep_configuration(tmp_path, [other], resumes=False)
    assert len(str(told.value)) < 600 and "same" not in str(told.value).replace("the same", "")


def test_any_other_checkpoint_is_passed_on_and_one_that_is_not_there_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere" / "checkpoint-3"
    with pytest.raises(ConfigError, match=r"no whole checkpoint at .*checkpoint-3\. Give"):
        checkpoint_to_resume(tmp_path, str(elsewhere))
    elsewhere.mkdir(parents=True)
    (elsewhere / "trainer_state.json").write_text("{}")
    assert checkpoint_to_resume(tmp_path, str(elsewhere)) == str(elsewhere)
    assert checkpoint_to_resume(tmp_path, None) is None


def test_a_folder_that_cannot_be_written_is_a_message(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        for resumes in (True, False):
            with pytest.raises(ConfigError, match=r"file.* cannot be written.*Give another folder"):
                keep_configuration(folder, [Settings(1.0)], resumes=resumes)


@pytest.mark.parametrize("text", ['{"rate"', "[1]"])
def test_a_broken_configuration_is_named_with_the_way_out(tmp_path, text):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(
        ConfigError, match=r"configuration\.json cannot be read.*Restore the file, or give another folder"
    ):
        keep_configuration(tmp_path, [Settings(1.0)], resumes=True)


@pytest.mark.parametrize("variable", ["RANK", "OMPI_COMM_WORLD_RANK"])
def test_the_rank_of_a_process_is_the_launchers_and_0_without_one(monkeypatch, variable):
    for name in ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert rank_of_process() == 0
    monkeypatch.setenv(variable, "3")
    assert rank_of_process() == 3

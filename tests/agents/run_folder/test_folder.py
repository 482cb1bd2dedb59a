import dataclasses
import json
import os
from dataclasses import dataclass

import pytest

from agents.run_folder.configuration import FILE_NAME
from agents.run_folder.folder import RunFolder, rank_of_process
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


def test_a_token_of_the_hub_is_in_no_file_of_a_run(tmp_path):
    uploads = dataclasses.make_dataclass("Uploads", [("hub_token", str), ("hub_model_id", str)])
    with RunFolder.claimed(tmp_path, [uploads("hf_secret", "me/mine")], resumes=False) as folder:
        folder.keep_configuration()
    assert json.loads((tmp_path / FILE_NAME).read_text()) == {"hub_model_id": "me/mine"}
    assert not any("hf_secret" in file.read_text() for file in tmp_path.iterdir())


def test_a_run_does_not_start_over_the_results_of_another_configuration(tmp_path):
    keep_configuration(tmp_path, [Settings(1.0)], resumes=False)
    keep_configuration(tmp_path, [Settings(2.0)], resumes=False)  # nothing was learned yet
    for result in ("checkpoint-6", "model.safetensors", "finished.json"):
        (tmp_path / result).mkdir()
        with pytest.raises(ConfigError, match=r"rate \(was 2\.0, is 3\.0\).*another --output_dir.*--restart") as told:
            keep_configuration(tmp_path, [Settings(3.0)], resumes=False)
        assert str(tmp_path) in str(told.value) and f"removes {result}" in str(told.value)
        assert json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8")) == {"rate": 2.0}
        keep_configuration(tmp_path, [Settings(2.0)], resumes=False)
        (tmp_path / result).rmdir()


def test_a_run_that_restarts_may_have_another_configuration(tmp_path):
    keep_configuration(tmp_path, [Settings(1.0)], resumes=False)
    (tmp_path / "checkpoint-6").mkdir()
    with RunFolder.claimed(tmp_path, [Settings(2.0)], resumes=False, restarts=True):
        assert (tmp_path / "checkpoint-6").exists()  # what is removed is the run's to say


@pytest.mark.parametrize("restarts", [False, True])
def test_a_folder_of_something_else_is_no_run_and_is_never_restarted(tmp_path, restarts):
    def claim():
        return RunFolder.claimed(tmp_path, [Settings(2.0)], resumes=False, restarts=restarts)

    (tmp_path / "notes.txt").write_text("mine")
    with claim():
        pass
    (tmp_path / "model.safetensors").write_text("mine")
    with pytest.raises(ConfigError, match=r"model\.safetensors, but no configuration\.json.*another --output"), claim():
        pass
    (tmp_path / FILE_NAME).write_text('{"model": "tiny-warm", "tasks": "sample:vstar-tiny"}')
    with pytest.raises(ConfigError, match=r"folder of another command.*another --output_dir"), claim():
        pass


def test_of_many_fields_that_differ_the_first_are_named(tmp_path):
    fields = [dataclasses.make_dataclass(f"Field{n}", [(f"f{n:02}", int)]) for n in range(30)]
    keep_configuration(tmp_path, [one(1) for one in fields], resumes=True)
    with pytest.raises(ConfigError, match=r"f00 \(was 1, is 2\).*f11 .*and 18 further fields\. Resume") as told:
        keep_configuration(tmp_path, [one(2) for one in fields], resumes=True)
    assert "f12" not in str(told.value)


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

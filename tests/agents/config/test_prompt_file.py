"""`prompt_file` of the training commands: it words every episode, and the run is kept under its text's hash."""

import json

import pytest

from agents.grpo.config import PixelGRPOConfig
from agents.run_folder.folder import RunFolder
from agents.sft.trainer import PixelSFTConfig
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError

CONFIGS = (PixelGRPOConfig, PixelSFTConfig)


def config(kind, tmp_path, **options):
    return kind(output_dir=str(tmp_path / "run"), use_cpu=True, **options)


def keep_configuration(folder, parts, *, resumes):
    with RunFolder.claimed(folder, parts, resumes=resumes) as claimed:
        claimed.keep_configuration()


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_episode_is_worded_by_the_file_as_it_was_when_the_run_began(kind, tmp_path, prompt):
    args = config(kind, tmp_path, prompt_file=str(prompt))
    prompt.unlink()
    worded = args.settings(dialect_named("released"), None).dialect
    assert worded.wording.question == "{question}\n\nSay it in \\boxed{{}}."
    plain = config(kind, tmp_path).settings(dialect_named("released"), None).dialect
    assert plain == dialect_named("released")


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_run_whose_prompt_file_has_changed_does_not_resume(kind, tmp_path, prompt):
    folder = tmp_path / "run"
    keep_configuration(folder, [config(kind, tmp_path, prompt_file=str(prompt))], resumes=False)
    kept = json.loads((folder / "configuration.json").read_text())
    assert kept["prompt_sha256"] == prompt_hash(prompt.read_text()) and "_prompt_text" not in kept
    keep_configuration(folder, [config(kind, tmp_path, prompt_file=str(prompt))], resumes=True)
    prompt.write_text("Other words.", encoding="utf-8")
    with pytest.raises(ConfigError, match="prompt_sha256"):
        keep_configuration(folder, [config(kind, tmp_path, prompt_file=str(prompt))], resumes=True)


def test_another_text_than_the_one_that_was_meant_is_refused(tmp_path, prompt):
    meant = prompt_hash("Other words.")
    with pytest.raises(ConfigError, match=rf"{meant}.*vcot\.txt is .*leave prompt_sha256 out"):
        config(PixelGRPOConfig, tmp_path, prompt_file=str(prompt), prompt_sha256=meant)

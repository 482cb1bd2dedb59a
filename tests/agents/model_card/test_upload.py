"""A model is uploaded to a stand-in for the Hub, by the command."""

import os
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest
from huggingface_hub import ModelCard

from agents.model_card.upload import Published
from pixel_env.errors import ConfigError
from tests.agents.model_card.hub import Hub

TRAIN = ["sft", "--model_name_or_path", "tiny-base", "--max_steps", "2", "--save_steps", "1"]
TRAIN += ["--per_device_train_batch_size", "2", "--use_cpu", "--gradient_checkpointing", "false", "--push_to_hub"]
TRAIN += ["--hub_model_id", "me/tiny", "--held_out", "0", "--task_count", "8"]


def trained(folder, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-m", "pixel_env.cli", *TRAIN, "--output_dir", str(folder / "run")],
        env={**kept, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_model_its_card_and_its_figures_are_uploaded_and_nothing_else(tmp_path):
    with Hub() as hub:
        done = trained(tmp_path, HF_ENDPOINT=hub.address, HF_TOKEN="hf_secret")
        assert done.returncode == 0, done.stderr
    loads = {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json"}
    loads |= {"chat_template.jinja", "generation_config.json"}
    assert hub.files.keys() == loads | {"pixel_env.json", "README.md", "summary.json"}
    assert hub.files["model.safetensors"] == (tmp_path / "run" / "model.safetensors").read_bytes()
    assert ModelCard(hub.files["README.md"].decode()).data.library_name == "transformers"
    assert hub.commits[-1] == "End of training" and hub.tokens == {"hf_secret"} and not hub.unknown
    assert "time machine" not in hub.files["README.md"].decode()


def test_a_hub_that_refuses_is_one_line_with_the_way_out(tmp_path):
    with Hub(refuses=True) as hub:
        done = trained(tmp_path, HF_ENDPOINT=hub.address, HF_TOKEN="hf_secret")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    told = done.stderr.strip().splitlines()[-1]
    assert "me/tiny cannot be made on the Hub" in told and "--hub_model_id" in told


def test_a_hub_that_cannot_be_reached_is_one_line_that_says_where_the_model_is(tmp_path, monkeypatch):
    class Trainer:
        args = SimpleNamespace(hub_model_id="me/tiny", output_dir=str(tmp_path), hub_token=None, hub_revision=None)
        hub_model_id = "me/tiny"

        def init_hf_repo(self, token):
            raise httpx.ConnectError("Connection refused")

    class Model(Published, Trainer):
        pass

    def unreachable(**_):
        raise httpx.ReadTimeout("timed out")

    with pytest.raises(ConfigError, match="cannot be made on the Hub: Connection refused"):
        Model().init_hf_repo()
    monkeypatch.setattr("agents.model_card.upload.upload_folder", unreachable)
    with pytest.raises(ConfigError, match=f"timed out. It is in {tmp_path}; upload it later with: hf upload me/tiny"):
        Model()._upload(str(tmp_path), "End of training", blocking=True)


@pytest.mark.parametrize(
    ("environment", "told"), [({}, "hf auth login"), ({"HF_HUB_OFFLINE": "1", "HF_TOKEN": "x"}, "HF_HUB_OFFLINE=1")]
)
def test_without_a_token_or_a_network_nothing_is_loaded(tmp_path, environment, told):
    done = trained(tmp_path, **environment)
    assert done.returncode == 2 and told in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()

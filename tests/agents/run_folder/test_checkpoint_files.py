"""No file of a checkpoint runs code when a training resumes from it; what is broken is one line that names the file."""

import json
import pickle
import random
import shutil

import numpy as np
import pytest
import torch
import torch.distributed.checkpoint

from agents.engines.load import load_model
from agents.grpo.trainer import PixelGRPOConfig, PixelGRPOTrainer
from agents.run_folder.checkpoint_files import check_checkpoint
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError

DEEP = "[" * 100_000


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@pytest.fixture(scope="module")
def trained(tiny_checkpoint, tasks, tmp_path_factory):
    """A trainer with its checkpoint of one step."""
    options = {"dialect": "tiny", "max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 32, "max_steps": 1}
    options |= {
        "num_generations": 4,
        "per_device_train_batch_size": 8,
        "save_steps": 1,
        "gradient_checkpointing": False,
    }
    options |= {"use_cpu": True, "disable_tqdm": True, "replay_capacity": 8, "group_reward": "correctness"}
    args = PixelGRPOConfig(output_dir=str(tmp_path_factory.mktemp("run")), **options)
    trainer = PixelGRPOTrainer(str(tiny_checkpoint), tasks, args)
    trainer.train()
    return trainer


@pytest.fixture
def checkpoint(trained, tmp_path):
    """A copy of the checkpoint."""
    return shutil.copytree(f"{trained.args.output_dir}/checkpoint-1", tmp_path / "checkpoint-1")


def test_a_checkpoint_of_our_own_is_read(trained, checkpoint):
    check_checkpoint(checkpoint)
    assert {path.name for path in checkpoint.glob("*.pkl")} == set()
    trained.train(resume_from_checkpoint=str(checkpoint))
    assert trained.state.global_step == 1


READ = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
OF_OTHER_TRAININGS = (
    "rng_state_1.pth",
    "scaler.pt",
    "optimizer.bin",
    "pytorch_model.bin",
    "pytorch_model-00001-of-00002.bin",
    "adapter_model.bin",
    "global_step1/mp_rank_00_model_states.pt",
    "global_step1/zero_pp_rank_0_mp_rank_00_optim_states.pt",
    "pytorch_model_fsdp.bin",
    "pytorch_model_fsdp_0/.metadata",
)


@pytest.mark.parametrize("name", [*READ, *OF_OTHER_TRAININGS])
@pytest.mark.parametrize("form", ["torch's archive", "a plain pickle"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(trained, checkpoint, tmp_path, name, form):
    marker, file = tmp_path / "marker", checkpoint / name
    file.parent.mkdir(exist_ok=True)
    if form == "a plain pickle":
        file.write_bytes(pickle.dumps({"state": Planted(marker)}))
    else:
        with file.open("wb") as opened:  # a name that begins with a dot is none for torch
            torch.save({"state": Planted(marker)}, opened)
    with pytest.raises(ConfigError, match=rf"{file} (would run code: it names .*open|cannot be read)"):
        trained.train(resume_from_checkpoint=str(checkpoint))
    assert not marker.exists()


def test_what_is_not_read_does_not_run(trained, checkpoint, tmp_path, tiny_checkpoint):
    marker = tmp_path / "marker"
    torch.save(Planted(marker), checkpoint / "training_args.bin")
    (checkpoint / "replay_0.pkl").write_bytes(pickle.dumps(Planted(marker)))
    (checkpoint / "evil.py").write_text(f"open({str(marker)!r}, 'w')\nclass Evil: pass\n")
    remote = {"auto_map": dict.fromkeys(("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor"), "evil.Evil")}
    remote["auto_map"] |= {"AutoTokenizer": ["evil.Evil", "evil.Evil"], "AutoImageProcessor": "evil.Evil"}
    for file in ("config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json"):
        if (checkpoint / file).exists():
            (checkpoint / file).write_text(json.dumps(json.loads((checkpoint / file).read_text()) | remote))
    trained.train(resume_from_checkpoint=str(checkpoint))
    load_model(str(checkpoint), dialect_named("tiny"), dtype="float32")
    assert not marker.exists()


def test_a_chat_template_cannot_reach_python(checkpoint, tmp_path):
    marker = tmp_path / "marker"
    template = "{{ cycler.__init__.__globals__.os.popen('touch " + str(marker) + "').read() }}"
    (checkpoint / "chat_template.jinja").write_text(template)
    with pytest.raises(Exception, match=r"unsafe|access"):
        load_model(str(checkpoint), dialect_named("tiny"), dtype="float32")
    assert not marker.exists()


def test_a_dialect_that_a_checkpoint_names_imports_nothing(checkpoint, tmp_path, monkeypatch):
    from agents.config.model_dialect import dialect_of_model

    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted_dialects.py").write_text("open('marker', 'w')\n")
    row = json.loads((checkpoint / "pixel_env.json").read_text())
    for name in ("planted_dialects:EVIL", "tiny+planted_dialects:Operation"):
        (checkpoint / "pixel_env.json").write_text(json.dumps(row | {"dialect": name}))
        with pytest.raises(ConfigError, match=r"pixel_env\.json names .*planted_dialects.*Give --dialect"):
            dialect_of_model(None, str(checkpoint))
    syntax = "base: tiny\ncalls: {syntax: 'planted_dialects:Syntax'}\n"
    (checkpoint / "dialect.yaml").write_text(syntax)
    (checkpoint / "pixel_env.json").write_text(json.dumps(row | {"dialect": "mine:EVIL"}))
    with pytest.raises(ConfigError, match=r"pixel_env\.json names the .*planted_dialects:Syntax"):
        dialect_of_model(None, str(checkpoint))
    assert not (tmp_path / "marker").exists()


BROKEN = {
    "optimizer.pt": (b"", b"\xff" * 1000),
    "rng_state.pth": (b"", b"PK\x03\x04" + b"\0" * 100),
    "model.safetensors": (b"", b"\xff" * 1000, b"\x10\0\0\0\0\0\0\0" + b"{" * 16),
    "config.json": (b"", b"{", b"\xff\xfe", DEEP.encode()),
    "num_tokens.json": (b"[]", b"{}", b'{"num_tokens": "1"}'),
    "trainer_state.json": (
        *(b"", b"{", b"[]", b"7", b"{}", DEEP.encode()),
        b'{"global_step": "1", "log_history": []}',
        b'{"global_step": -1, "log_history": []}',
        b'{"global_step": 1, "log_history": [1]}',
        b'{"global_step": 1, "log_history": {}}',
        b'{"global_step": NaN, "log_history": []}',
        b'{"global_step": 1, "log_history": [], "epoch": "1"}',
    ),
}


@pytest.mark.parametrize(("name", "content"), [(name, one) for name, many in BROKEN.items() for one in many])
def test_a_broken_file_is_one_line_that_names_it(trained, checkpoint, name, content):
    (checkpoint / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{checkpoint / name} cannot be read") as raised:
        trained.train(resume_from_checkpoint=str(checkpoint))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600


def test_a_folder_a_truncated_file_and_a_link_to_nothing_are_named_too(trained, checkpoint):
    for name in ("optimizer.pt", "model.safetensors", "trainer_state.json"):
        whole = (checkpoint / name).read_bytes()
        (checkpoint / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ConfigError, match=rf"{checkpoint / name} cannot be read"):
            check_checkpoint(checkpoint)
        (checkpoint / name).unlink()
        (checkpoint / name).mkdir()
        with pytest.raises(ConfigError, match=rf"{checkpoint / name} cannot be read"):
            check_checkpoint(checkpoint)
        (checkpoint / name).rmdir()
        (checkpoint / name).write_bytes(whole)


def test_the_random_states_of_numpy_and_python_are_what_a_checkpoint_needs(tmp_path):
    state = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()}
    torch.save(state, tmp_path / "rng_state.pth")
    (tmp_path / "trainer_state.json").write_text('{"global_step": 1, "log_history": []}')
    check_checkpoint(tmp_path)


def test_the_index_of_sharded_weights_is_read_and_holds_no_code(tmp_path):
    model = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(4)).sum().backward()
    optimizer.step()
    folder = tmp_path / "pytorch_model_fsdp_0"
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.distributed.checkpoint.save(state, checkpoint_id=folder, no_dist=True)
    (tmp_path / "trainer_state.json").write_text('{"global_step": 1, "log_history": []}')
    check_checkpoint(tmp_path)


@pytest.mark.parametrize("named", ["../elsewhere", "/tmp", "..", "a/b", b"\xff"])
def test_deepspeed_reads_no_folder_outside_of_the_checkpoint(tmp_path, named):
    (tmp_path / "trainer_state.json").write_text('{"global_step": 1, "log_history": []}')
    (tmp_path / "latest").write_text("global_step1")
    check_checkpoint(tmp_path)
    (tmp_path / "latest").write_bytes(named if isinstance(named, bytes) else named.encode())
    with pytest.raises(ConfigError, match=f"^{tmp_path / 'latest'} "):
        check_checkpoint(tmp_path)

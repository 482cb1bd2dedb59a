"""A real server of `tiny-zoom` behind `pixel-env serve`: its turns, its weights, its death, and training on it.

One server for the whole file, on the CPU where there is no GPU. Its start takes most of the time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import torch

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load
from agents.engines.protocol import Request
from agents.engines.served.engine import ServerEngine
from agents.engines.transformers import TransformersEngine
from agents.grpo.policy_weights import save_weights
from agents.grpo.replay_files import read_kept, replay_file
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits, Prompt
from tests.agents.engines.single_turns import furthest, generated
from tests.paths import ROOT
from tests.ports import free_port

pytest.importorskip("vllm")
TINY = dialect_named("tiny")
TOKENS = 512
BOUND = 1e-4
"""Of log-probabilities in float32 on a CPU; measured: 5e-6."""
SCRIPT = Path(__file__).with_name("served_processes.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


class Serving:
    """The command, its one server, and what both say."""

    def __init__(self, log):
        port = free_port()
        self.url, self.log = f"http://127.0.0.1:{port}", log
        command = [sys.executable, "-m", "pixel_env.cli", "serve", "--model", "tiny-zoom", "--port", str(port)]
        command += ["--max-model-len", str(TOKENS), "--max-images", "6", "--", "--dtype", "float32"]
        with log.open("w") as out:
            self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT)

    def wait(self):
        while "Serving. Train with" not in self.said() and self.process.poll() is None:
            time.sleep(0.2)
        assert self.process.poll() is None, self.said()[-3000:]

    def said(self):
        return self.log.read_text()

    def server(self):
        return psutil.Process(self.process.pid).children()[0]

    def held_version(self):
        answer = httpx.post(f"{self.url}/collective_rpc", json={"method": "held_version"}, timeout=300)
        return answer.json()["results"][0]


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    one = Serving(tmp_path_factory.mktemp("serving") / "log")
    try:
        one.wait()
        yield one
    finally:
        one.process.send_signal(signal.SIGTERM)
        one.process.wait(timeout=300)


@pytest.fixture(scope="module")
def chat():
    return Chat.from_pretrained(model_folder("tiny-zoom"), TINY)


@pytest.fixture
def policy():
    return load(model_folder("tiny-zoom"))[0].float().eval()


@pytest.fixture
def engine(serving, chat):
    one = ServerEngine([serving.url], image_id=chat.image_id, end_id=chat.end_id, patience_s=120)
    one.use_weights(Path(model_folder("tiny-zoom")))
    yield one
    one.close()


def asking(chat, count):
    rng = np.random.default_rng(count)
    images = tuple(rng.integers(0, 256, (64 * (1 + i % 2), 96, 3), dtype=np.uint8) for i in range(count))
    return Request(0, chat.open(Prompt("", "which digit"), images), images, 8, 0.0, 1, chat.banned_ids)


def moved(policy, part):
    """The policy, the named part of it a little elsewhere."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in policy.named_parameters():
            if part in name and "norm" not in name:
                weight.add_(0.1 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.01))
    return policy


@pytest.mark.parametrize("images", [0, 1, 2, 5])
def test_greedy_turns_are_those_of_transformers(engine, policy, chat, images):
    expected = generated(TransformersEngine(policy, chat), asking(chat, images))
    found = generated(engine, asking(chat, images))
    assert (found.token_ids, found.ended, found.error) == (expected.token_ids, expected.ended, None)
    assert furthest(found, expected) < BOUND


@pytest.mark.parametrize("part", ["visual", "layers"])
def test_new_weights_count_at_once_also_for_a_picture_that_the_server_knows(engine, policy, chat, tmp_path, part):
    request = asking(chat, 1)
    before = generated(engine, request)
    save_weights(moved(policy, part), chat.processor, tmp_path, writes=True)
    engine.use_weights(tmp_path)
    expected, found = generated(TransformersEngine(policy, chat), request), generated(engine, request)
    assert found.token_ids == expected.token_ids and furthest(found, expected) < BOUND
    assert before.token_ids != found.token_ids or furthest(before, found) > 10 * BOUND


def test_a_conversation_without_room_is_refused_alone_and_ends_once_the_server_has_told_how_long_it_may_be(
    engine, chat
):
    long = Request(0, chat.open(Prompt("", "which digit " * 400), ()), (), 8, 0.0, 1, chat.banned_ids)
    assert "is longer than the maximum" in generated(engine, long).error
    assert engine.max_model_len() == TOKENS
    ended = generated(engine, long)
    assert (ended.token_ids, ended.error, ended.out_of_tokens) == ((), None, True)
    assert generated(engine, asking(chat, 0)).error is None


def test_weights_of_which_a_part_cannot_be_read_are_refused_and_whole_ones_are_taken_afterwards(
    serving, engine, policy, chat, tmp_path
):
    impatient = ServerEngine([serving.url], image_id=chat.image_id, end_id=chat.end_id, patience_s=2)
    save_weights(moved(policy, "layers"), chat.processor, tmp_path, writes=True, shard_bytes=10**6)
    shards = sorted(tmp_path.glob("*.safetensors"))
    whole = shards[len(shards) // 2].read_bytes()
    shards[len(shards) // 2].write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="header too small"):
        impatient.use_weights(tmp_path)
    impatient.close()
    assert serving.held_version() is None
    shards[len(shards) // 2].write_bytes(whole)
    engine.use_weights(tmp_path)
    expected, found = generated(TransformersEngine(policy, chat), asking(chat, 2)), generated(engine, asking(chat, 2))
    assert found.token_ids == expected.token_ids and furthest(found, expected) < BOUND


def test_training_in_two_processes_samples_from_the_server_and_a_killed_run_goes_on_as_if_uncut(serving, tmp_path):
    cut = tmp_path / "cut"
    assert trained(serving, f"uncut={tmp_path / 'uncut'}", f"killed={cut}") != 0
    uncut = left_by(tmp_path / "uncut")
    assert len(uncut["log"]) == 2 and uncut["log"][1]["replay/share"] > 0
    for row in uncut["log"]:
        assert row["sampling/sampling_logp_difference/max"] < BOUND and row["grad_norm"] > 0
    assert serving.held_version().startswith(f"{cut}/served_weights/step-1 of ")
    assert (cut / "checkpoint-1").is_dir() and not (cut / "checkpoint-2").exists()
    assert trained(serving, f"resumed={cut}") == 0
    resumed = left_by(cut)
    assert resumed["generated"] == uncut["generated"] and resumed["replay"] == uncut["replay"]
    for found, expected in zip(resumed["log"], uncut["log"], strict=True):
        assert found.keys() == expected.keys()
        same = [name for name in expected if "time" not in name and "logp_difference" not in name]
        assert [found[name] for name in same] == pytest.approx([expected[name] for name in same], abs=1e-4, rel=1e-3)


def trained(serving, *runs):
    """The exit code of these runs, in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(SCRIPT)]
    run = subprocess.run([*command, serving.url, *runs], env=ENVIRONMENT, capture_output=True, text=True, timeout=800)
    print(run.stderr[-3000:])
    return run.returncode


def left_by(folder):
    """What a run of two steps logged and generated, and what it keeps for replay."""
    tasks = load_tasks("sample:vstar-tiny", split="train", count=16)
    buffers = [read_kept(replay_file(str(folder / "checkpoint-2"), rank), tasks) for rank in range(2)]
    return {
        "log": json.loads((folder / "log.json").read_text()),
        "generated": {path.name: json.loads(path.read_text()) for path in folder.glob("generated-*.json")},
        "replay": [[(kept.step, kept.sample.rollout.completion_ids) for kept in buffer] for buffer in buffers],
    }


def test_a_server_that_is_killed_amid_a_rollout_comes_back_with_the_present_weights(
    serving, engine, policy, chat, tmp_path
):
    """Not one episode is lost or other than it would have been."""
    save_weights(moved(policy, "layers"), chat.processor, tmp_path, writes=True)
    engine.use_weights(tmp_path)
    tasks = load_tasks("sample:vstar-tiny", split="test", count=24)
    settings = EpisodeSettings(TINY, Limits(max_turns=3), tasks.budgets or TINY.budgets)
    finished = []

    def played(after):
        finished.clear()
        options = {"settings": settings, "sampling": Sampling(1.0, 8), "seed": 0, "on_finish": after}
        return rollout(list(tasks.tasks) * 4, engine, chat, **options)

    def kill_once(one):
        finished.append(one)
        if len(finished) == 3:
            serving.server().kill()

    undisturbed = played(finished.append)
    disturbed = played(kill_once)
    assert 1 <= engine.resubmitted <= len(undisturbed) - 3  # each episode waits for one turn at a time
    assert [one.completion_ids for one in disturbed] == [one.completion_ids for one in undisturbed]
    assert all(one.trajectory.error is None and any(one.sampled) for one in disturbed)
    assert "exited with code -9; it restarts in 1 s" in serving.said()


# ------------------------------------------------------------------------------------------------- as `--engine`


def test_an_evaluation_on_the_servers_is_one_of_the_checkpoint_that_is_named_whatever_they_held(
    serving, engine, tmp_path
):
    engine.use_weights(Path(model_folder("tiny-base")))
    flags = ["--model", "tiny-zoom", "--task_count", "6", "--policies", "no_zoom", "learned_zoom", "--max_turns", "3"]
    flags += ["--max_images", "6", "--max_turn_tokens", "16", "--max_tokens", str(TOKENS)]
    texts = {}
    for name, own in (("server", ["--base_url", f"{serving.url}/v1"]), ("transformers", [])):
        assert main(["eval", *flags, "--engine", name, *own, "--output_dir", str(tmp_path / name)]) == 0
        rows = map(json.loads, (tmp_path / name / "trajectories.jsonl").read_text().splitlines())
        texts[name] = {(row["policy"], row["task_id"]): [turn["text"] for turn in row["turns"]] for row in rows}
    assert texts["server"] == texts["transformers"] and len(texts["server"]) == 12
    assert any(len(turns) > 1 for turns in texts["server"].values())


def test_a_conversation_that_is_longer_than_the_servers_take_is_refused_before_it_is_played(serving, tmp_path, capsys):
    flags = ["--engine", "server", "--base_url", serving.url, "--max_tokens", str(TOKENS + 1)]
    assert main(["eval", *flags, "--task_count", "2", "--output_dir", str(tmp_path / "run")]) == 2
    assert f"the servers accept at most {TOKENS} tokens" in capsys.readouterr().err
    assert not (tmp_path / "run" / "trajectories.jsonl").exists()

"""What Gymnasium asks of an environment, through its own doors."""

import json
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics

import pixel_env
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.operations.crop_image import CropImage
from pixel_env.registration import BENCHMARKS, ENVIRONMENTS, register_all
from pixel_env.testing import tiny_task_set
from pixel_env.types import Limits
from tests.paths import ROOT

pytestmark = pytest.mark.filterwarnings("error")

VSTAR = "PixelReasoning-VStar-v0"
TINY = {"tasks": "sample:vstar-tiny", "dialect": "tiny"}
CROP, ANSWER = "<crop> 4 4 8 8", "<answer>7"


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("render_mode", [None, "rgb_array", "ansi"])
def test_the_environment_checker_finds_nothing_with_warnings_as_errors(name, render_mode):
    check_env(gym.make(name, render_mode=render_mode).unwrapped)


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("dialect", ["qwen2.5-vl", "qwen3-vl", "released", "tiny"])
def test_every_dialect_passes_the_checker(name, dialect):
    check_env(gym.make(name, dialect=dialect).unwrapped)


def test_there_is_an_id_for_each_benchmark():
    assert list(ENVIRONMENTS) == [
        "PixelReasoning-VStar-v0",
        "PixelReasoning-TallyQA-v0",
        "PixelReasoning-InfographicsVQA-v0",
        "PixelReasoning-MVBench-v0",
    ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_id_works_from_a_bare_import_of_gymnasium(name):
    code = f"import gymnasium as gym; print(gym.make('pixel_env:{name}').reset(seed=0)[1]['notice'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "embedded sample set" in done.stdout


@pytest.mark.parametrize(
    ("name", "benchmark"), list(zip(ENVIRONMENTS, ["V*", "TallyQA", "InfographicsVQA", "MVBench"], strict=True))
)
def test_without_arguments_the_embedded_set_says_so_in_info_and_when_rendered(name, benchmark):
    env = gym.make(name, render_mode="ansi")
    _, info = env.reset(seed=0)
    assert f"embedded sample set {ENVIRONMENTS[name]} " in info["notice"]
    assert f"no {benchmark} score" in info["notice"]
    assert info["notice"] in env.render()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_split_is_chosen_by_name(name):
    assert gym.make(name, split="train").reset(seed=0)[1]["task_id"].split("/")[1] == "train"
    assert gym.make(name).reset(seed=0)[1]["task_id"].split("/")[1] == "test"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_random_agent_plays_to_the_end_within_the_spaces(name):
    env = gym.make(name)
    env.action_space.seed(0)
    for episode in range(5):
        observation, _ = env.reset(seed=episode)
        ended = False
        while not ended:
            assert observation in env.observation_space
            action = env.action_space.sample()
            assert action in env.action_space
            observation, reward, terminated, truncated, info = env.step(action)
            ended = terminated or truncated
        assert 0.0 <= reward <= 1.0 and info["stop"] is not None


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_registering_again_changes_nothing(name):
    register_all()
    assert gym.spec(name).entry_point == "pixel_env.env:PixelEnv"
    assert gym.spec(name).kwargs == {"tasks": ENVIRONMENTS[name]}


@pytest.mark.parametrize(
    "imports", ["import gymnasium, pixel_env", "import pixel_env, gymnasium", "import pixel_env.env, gymnasium"]
)
def test_the_ids_are_registered_whichever_is_imported_first(imports):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {imports}\nprint(*gymnasium.registry)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {*ENVIRONMENTS, *BENCHMARKS} <= set(printed) and "CartPole-v1" in printed


def test_importing_the_package_again_leaves_no_finder_behind():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import importlib, pixel_env; waiting = len(sys.meta_path)\n"
        "importlib.reload(pixel_env); print(len(sys.meta_path) - waiting)\n"
        "import gymnasium; print(len(sys.meta_path) - waiting)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert printed == ["0", "-1"]


def test_the_package_offers_its_main_names_and_no_others():
    assert pixel_env.PixelEnv is gym.make(VSTAR).unwrapped.__class__
    assert all(getattr(pixel_env, name) for name in pixel_env.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'pixelenv'"):
        _ = pixel_env.pixelenv


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_spec_survives_json_with_limits_and_budgets(name):
    limits = Limits(max_turns=2)
    env = gym.make(name, limits=limits, budgets=gym.make(name).unwrapped.budgets, dialect="tiny")
    text = env.spec.to_json()
    again = gym.make(EnvSpec.from_json(text))
    assert json.loads(text)["kwargs"]["limits"]["max_turns"] == 2
    assert again.unwrapped.limits == limits and again.unwrapped.budgets == env.unwrapped.budgets


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_closing_twice_is_fine(name):
    env = gym.make(name)
    env.reset()
    env.close()
    env.close()


# ------------------------------------------------------------------------------------------------- vector environments


def vectors():
    return {
        "sync": lambda: gym.make_vec(VSTAR, num_envs=2, vectorization_mode="sync", **TINY),
        "async": lambda: gym.make_vec(VSTAR, num_envs=2, vectorization_mode="async", **TINY),
        "async without shared memory": lambda: gym.make_vec(
            VSTAR, num_envs=2, vectorization_mode="async", vector_kwargs={"shared_memory": False}, **TINY
        ),
    }


@pytest.mark.parametrize("mode", vectors())
def test_a_vector_environment_plays_what_single_ones_play(mode):
    singles = [gym.make(VSTAR, **TINY) for _ in range(2)]
    expected = [env.reset(seed=seed)[0] for seed, env in enumerate(singles, start=3)]
    envs = vectors()[mode]()
    try:
        observations, infos = envs.reset(seed=3)
        assert list(observations["text"]) == [single["text"] for single in expected]
        assert list(infos["task_id"]) == [env.unwrapped.trajectory.task.task_id for env in singles]
        stepped = [env.step(text)[0] for env, text in zip(singles, [CROP, "hm"], strict=True)]
        first_texts = observations["text"]
        observations, rewards, _, _, infos = envs.step((CROP, "hm"))
        assert list(observations["text"]) == [single["text"] for single in stepped] == ["", "answer"]
        assert list(first_texts) == [single["text"] for single in expected], "what was returned must not change"
        for pictures, single in zip(observations["images"], stepped, strict=True):
            assert len(pictures) == len(single["images"])
            assert all(np.array_equal(*pair) for pair in zip(pictures, single["images"], strict=True))
        assert rewards.tolist() == [0.0, 0.0] and infos["failure"].tolist() == [None, None]
        _, _, terminated, _, _ = envs.step((ANSWER, ANSWER))
        assert terminated.tolist() == [True, True]
        observations, *_ = envs.step((ANSWER, ANSWER))  # this step resets
        assert all("card" in text for text in observations["text"])
    finally:
        envs.close()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_vectors_of_every_id_work_without_arguments_and_show_what_single_ones_show(name, mode):
    singles = [gym.make(name) for _ in range(2)]
    expected = [env.reset(seed=seed)[0] for seed, env in enumerate(singles, start=5)]
    envs = gym.make_vec(name, num_envs=2, vectorization_mode=mode)
    try:
        observations, _ = envs.reset(seed=5)
        for text, pictures, single in zip(observations["text"], observations["images"], expected, strict=True):
            assert text == single["text"] and len(pictures) == len(single["images"])
            assert all(np.array_equal(*pair) for pair in zip(pictures, single["images"], strict=True))
        answers = tuple(f"\\boxed{{{env.unwrapped.trajectory.task.answers[0]}}}" for env in singles)
        _, rewards, terminated, _, _ = envs.step(answers)
        assert rewards.tolist() == [1.0, 1.0] and terminated.tolist() == [True, True]
    finally:
        envs.close()


def test_an_async_environment_works_without_arguments_and_its_spaces_batch():
    envs = AsyncVectorEnv([lambda: gym.make(VSTAR, **TINY)] * 2)
    try:
        observations, _ = envs.reset(seed=0)
        assert observations in envs.observation_space
        envs.action_space.seed(0)
        actions = envs.action_space.sample()
        assert actions in envs.action_space
        envs.step(actions)
    finally:
        envs.close()


def test_an_async_environment_leaves_no_file_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    envs = AsyncVectorEnv([lambda: gym.make(VSTAR, **TINY)] * 2, copy=False)
    observations, _ = envs.reset(seed=0)
    assert len(observations["text"]) == 2 and observations["text"][-1] and list(tmp_path.iterdir())
    envs.close()
    del envs, observations
    assert list(tmp_path.iterdir()) == []


def test_options_reach_every_environment_of_a_vector():
    envs = SyncVectorEnv([lambda: pixel_env.PixelEnv(tiny_task_set(9))] * 2)
    _, infos = envs.reset(options={"task_id": "tiny-4"})
    assert infos["task_id"].tolist() == ["tiny-4", "tiny-4"]
    envs.close()


# ---------------------------------------------------------------------------------------------------------- wrappers


def test_episode_statistics_are_recorded():
    env = RecordEpisodeStatistics(gym.make(VSTAR, **TINY))
    env.reset(seed=0, options={"task_id": "vstar-tiny/test/0/000000-digit-on-card"})
    answer = env.unwrapped.trajectory.task.answers[0]
    env.step(CROP)
    *_, info = env.step(f"<answer>{answer}")
    assert info["episode"]["r"] == 1.0 and info["episode"]["l"] == 2


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_id_renders_frames_of_one_size_before_and_after_a_look(name):
    env = gym.make(name, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    env.step(write(CropImage(0, Box(0.25, 0.25, 0.75, 0.75)), env.unwrapped.dialect))
    second = env.render()
    assert first.shape == second.shape == (640, 1120, 3)
    assert not np.array_equal(first, second)


def test_frames_have_one_size_so_that_they_make_a_video():
    env = gym.make(VSTAR, render_mode="rgb_array", **TINY)
    env.reset(seed=0)
    first = env.render()
    env.step(CROP)
    second = env.render()
    assert first.shape == second.shape == (640, 1120, 3) and first.dtype == np.uint8
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_warning_is_drawn_by_an_ordinary_episode(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(name)
        env.reset(seed=0)
        env.step("\\boxed{7}")
        env.close()

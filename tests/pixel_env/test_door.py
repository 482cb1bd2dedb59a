"""`import pixel_env`: the names that an agent needs, nothing else in view, and nothing loaded before it is used."""

import importlib
import subprocess
import sys

import pytest

import pixel_env
from tests.installations import ROOT


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_dir_lists_the_public_names_and_nothing_that_the_package_merely_imports():
    done = run_python("-c", "import pixel_env; pixel_env.PixelEnv; print(*dir(pixel_env))")
    names = [name for name in done.stdout.split() if not name.startswith("__")]
    assert names == [name for name in pixel_env.__all__ if not name.startswith("__")] == sorted(names)
    assert {"PixelEnv", "load_tasks", "Task", "Trajectory"} < set(names) and "__version__" in done.stdout.split()


@pytest.mark.parametrize("package", ["pixel_env", "agents.grpo", "agents.sft"])
def test_every_public_name_of_a_door_is_there_and_an_unknown_one_is_an_attribute_error(package):
    door = importlib.import_module(package)
    assert all(getattr(door, name) is not None for name in door.__all__)
    assert set(door.__all__) <= set(dir(door))
    with pytest.raises(AttributeError, match=rf"module '{package}' has no attribute 'typo'"):
        door.typo  # noqa: B018


def test_importing_it_loads_neither_tasks_nor_images_nor_dialects():
    done = run_python("-c", "import sys, pixel_env; print(*(m for m in sys.modules if m.split('.')[0] == 'pixel_env'))")
    assert set(done.stdout.split()) == {
        "pixel_env",
        "pixel_env.lazy_names",
        "pixel_env.neighbours",
        "pixel_env.registration",
    }


def test_an_agent_needs_one_import_line():
    code = """
        import gymnasium as gym
        from pixel_env import Answer, Box, CropImage, dialect_named, write

        dialect = dialect_named("default")
        env = gym.make("PixelReasoning-VStar-v0")
        env.reset(seed=0)
        observation, *_ = env.step(write(CropImage(image=0, box=Box(0.5, 0.0, 1.0, 0.5)), dialect))
        *_, terminated, truncated, info = env.step(write(Answer("7"), dialect))
        print(len(observation["images"]), terminated, info["failure"])
    """
    done = run_python("-c", code.replace("\n        ", "\n"))
    assert done.stdout == "1 True None\n", done.stderr


def test_python_m_pixel_env_is_the_command():
    done = run_python("-m", "pixel_env", "--version")
    assert done.stdout == f"pixel-env {pixel_env.__version__}\n"
    unknown = run_python("-m", "pixel_env", "evall")
    assert unknown.returncode == 2 and "eval" in unknown.stderr and "Traceback" not in unknown.stderr

"""What is shipped and what it needs: the wheel, the import contracts, the light base, the help for torchvision."""

import configparser
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

import pixel_env
from tests.paths import ROOT

PACKAGES = ("pixel_env", "agents", "rewards", "synth", "benchmarks")
SHIM = ROOT / "tools" / "torchvision_cpu" / "pixel_env_torchvision_cpu.py"


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def opened(wheel):
    with zipfile.ZipFile(wheel) as archive:
        yield archive


def shipped_files():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix()


def test_the_wheel_holds_every_file_of_the_five_packages_and_the_two_that_python_reads_when_it_starts(opened):
    names = {name for name in opened.namelist() if ".dist-info/" not in name}
    at_start = {"_pixel_env_neighbours.py", "_pixel_env_neighbours.pth"}
    assert names == set(shipped_files()) | at_start
    assert all(opened.read(name) == (ROOT / "tools" / "neighbours" / name).read_bytes() for name in at_start)


def test_the_wheel_has_the_version_of_the_package(opened):
    metadata = next(name for name in opened.namelist() if name.endswith("/METADATA"))
    assert f"\nVersion: {pixel_env.__version__}\n" in opened.read(metadata).decode()


def test_the_wheel_installs_the_command_and_carries_its_licence(opened):
    names = {name.partition(".dist-info/")[2]: name for name in opened.namelist() if ".dist-info/" in name}
    entry_points = configparser.ConfigParser()
    entry_points.read_string(opened.read(names["entry_points.txt"]).decode())
    assert entry_points["console_scripts"]["pixel-env"] == "pixel_env.cli:main"
    assert "Apache License" in opened.read(names["licenses/LICENSE"]).decode()


def test_the_light_base_asks_for_five_packages_only(opened):
    metadata = opened.read(next(name for name in opened.namelist() if name.endswith("/METADATA"))).decode()
    wanted = [line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    base = sorted(line.split(">")[0] for line in wanted if "extra ==" not in line)
    assert base == ["gymnasium", "numpy", "pillow", "pyyaml", "tqdm"]


def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_environment_rewards_and_core_loop_import_without_the_training_libraries():
    run_python("""
        import sys
        for name in ("torch", "torchvision", "transformers", "trl", "datasets", "accelerate", "peft", "vllm"):
            sys.modules[name] = None  # importing it now raises
        import pixel_env, rewards, agents.rollout, agents.engines.protocol, agents.engines.scripted
    """)


def test_the_unpacked_wheel_plays_on_the_light_base_alone_outside_of_the_checkout(opened, tmp_path):
    opened.extractall(tmp_path / "unpacked")
    code = """
        import sys, warnings
        for name in ("torch", "torchvision", "transformers", "trl", "datasets", "accelerate", "peft", "vllm"):
            sys.modules[name] = None  # importing it now raises
        warnings.simplefilter("error")
        import gymnasium, pixel_env
        from gymnasium.utils.env_checker import check_env
        from agents.chat.plain import PlainChat
        from agents.engines.scripted import ScriptedEngine, in_turn
        from agents.rollout import EpisodeSettings, Sampling, rollout
        from pixel_env.cli import main
        from pixel_env.dialects import dialect_named
        from pixel_env.samples import sample_set
        from pixel_env.types import Limits

        assert "unpacked" in pixel_env.__file__, pixel_env.__file__
        for name in pixel_env.registration.ENVIRONMENTS:
            check_env(gymnasium.make(name).unwrapped)
        tasks, tiny = sample_set("vstar-tiny", count=2), dialect_named("tiny")
        chat = PlainChat(tiny)
        played = rollout(
            tasks.tasks,
            ScriptedEngine(in_turn("<crop> 0 0 4 4", "<answer>7"), chat),
            chat,
            settings=EpisodeSettings(tiny, Limits(), tasks.budgets),
            sampling=Sampling(),
            seed=0,
        )
        assert [row.trajectory.valid_operations for row in played] == [1, 1]
        print(main(["play", "--tasks", "sample:vstar-tiny"]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")},
        input="",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0"


def test_traces_are_made_by_the_template_teacher_on_the_light_base_alone(tmp_path):
    printed = run_python(f"""
        import sys
        for name in ("torch", "torchvision", "transformers", "trl", "datasets", "vllm", "httpx"):
            sys.modules[name] = None  # importing it now raises
        from pixel_env.cli import main
        try:
            main(["synth", "--help"])
        except SystemExit as ended:
            print("help ended with", ended.code)
        print(main(["synth", "--count", "6", "--workers", "1", "--out", {str(tmp_path / "traces")!r}]))
        sys.stderr = sys.stdout
        print(main(["synth", "--teacher", "http://127.0.0.1:1/v1", "--model", "m", "--out", {str(tmp_path / "out")!r}]))
    """)
    assert "--student" in printed and "help ended with 0" in printed and "6 of 6 traces" in printed
    assert "pixel-env[endpoint]" in printed.splitlines()[-2] and printed.splitlines()[-1] == "2"


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", "pyproject.toml", ".pre-commit-config.yaml"])
def test_no_file_that_is_executed_names_a_package_index(name):
    text = (ROOT / name).read_text()
    assert "index-url" not in text and "INDEX_URL" not in text and "://" not in text


def test_torchvision_imports_and_transforms_an_image():
    torch = pytest.importorskip("torch")
    from torchvision.transforms.v2 import functional

    assert functional.resize(torch.zeros(3, 8, 8), [4, 4], antialias=True).shape == (3, 4, 4)


def with_shim(code):
    pytest.importorskip("torch")
    load = f"""
        import importlib.util, sys
        sys.meta_path[:] = [hook for hook in sys.meta_path if type(hook).__name__ != "_BeforeTheOperatorsAreNeeded"]
        spec = importlib.util.spec_from_file_location("shim", {str(SHIM)!r})
        shim = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shim)
    """
    return run_python(textwrap.dedent(load) + textwrap.dedent(code))


def test_the_torchvision_help_imports_nothing_heavy_at_start():
    assert with_shim("print('torch' in sys.modules, 'torchvision' in sys.modules)") == "False False\n"


def test_the_torchvision_help_declares_what_is_missing_beside_a_cpu_torch():
    printed = with_shim("""
        import torch
        torch.version.cuda = torch.version.hip = None
        shim._declare_missing_operators()
        shim._declare_missing_operators()
        print(hasattr(torch.ops.torchvision, "nms"), hasattr(torch.ops.torchvision, "qnms"), len(shim._declarations))
    """)
    assert printed == "True True 1\n"


def test_the_torchvision_help_leaves_operators_alone_that_are_there():
    printed = with_shim("""
        import torch
        torch.version.cuda = torch.version.hip = None
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        shim._declare_missing_operators()
        print(shim._declarations)
    """)
    assert printed == "[]\n"


def test_the_torchvision_help_stays_out_of_the_way_of_a_cuda_torch():
    printed = with_shim("""
        import torch
        torch.version.cuda = "13.0"
        shim._declare_missing_operators()
        print(shim._declarations, hasattr(torch.ops.torchvision, "nms"))
    """)
    assert printed == "[] False\n"

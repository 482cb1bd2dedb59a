"""openai-agents brings a package `agents`, too: in one environment both work, in every order of installation.

`openai_agents.json` lists what one release of it has in that package; the last test compares it with the real one.
"""

import json
import os
from pathlib import Path

import pytest

from tests.installations import ROOT, empty_installation

TABLE = json.loads((Path(__file__).parent / "openai_agents.json").read_text())
THEIRS = f"{TABLE['distribution']}=={TABLE['version']}"
NO_INDEX = ("No matching distribution found", "Could not find a version")

USE_OURS = "import agents.rollout, rewards.shaping, synth.plans.mix, benchmarks.text_tables"
USE_THEIRS = "from agents import Agent, Runner; import agents.models, agents.tool; Agent(name='someone')"
SYNTH = ("-m", "pixel_env", "synth", "--count", "1", "--workers", "1", "--out", "traces")


def our_names():
    folder = ROOT / "agents"
    return {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"} - {"__pycache__"}


def test_agents_has_no_module_or_folder_of_a_name_that_openai_agents_uses():
    assert our_names() & {*TABLE["modules"], *TABLE["attributes"]} == set()
    assert {"rollout", "grpo", "sft", "engines"} <= our_names()


def works(installation, code):
    """Whether `code` runs, in a folder without files of its own."""
    return installation.run("-c", code, cwd=installation.folder).returncode == 0


def installs(installation, *arguments):
    done = installation.pip("install", *arguments)
    if any(said in done.stderr for said in NO_INDEX):
        absent = f"pip finds no {THEIRS} in its package index; PIXEL_ENV_REQUIRE=index makes this an error"
        if "index" in os.environ.get("PIXEL_ENV_REQUIRE", "").split(","):
            pytest.fail(f"{absent}\n{done.stderr}")
        pytest.skip(absent)
    assert done.returncode == 0, done.stderr


def uninstalls(installation, name):
    done = installation.pip("uninstall", "--yes", name)
    assert done.returncode == 0, done.stderr


def files_of(installation):
    """What is installed, without the byte code that Python writes beside it."""
    found = installation.site_packages.rglob("*")
    return {str(path.relative_to(installation.site_packages)) for path in found if path.suffix != ".pyc"}


def own_files(installation, name):
    code = f"import importlib.metadata as m; print(*sorted(map(str, m.files({name!r}))), sep='\\n')"
    listed = installation.run("-c", code, cwd=installation.folder).stdout.split("\n")
    return {path for path in listed if path and not path.endswith(".pyc")}


def test_installing_either_after_the_other_and_uninstalling_one_leaves_both_working(tmp_path, wheel):
    made = empty_installation(tmp_path / "environment")
    installs(made, wheel)
    of_ours = own_files(made, "pixel-env")
    assert works(made, USE_OURS) and not works(made, USE_THEIRS)

    installs(made, THEIRS)  # theirs after ours
    assert of_ours & own_files(made, TABLE["distribution"]) == set()
    assert works(made, f"{USE_OURS}\n{USE_THEIRS}")
    synth = made.run(*SYNTH, cwd=tmp_path)
    assert "1 of 1 traces" in synth.stdout, synth.stderr

    uninstalls(made, TABLE["distribution"])
    assert works(made, USE_OURS) and not works(made, USE_THEIRS)
    assert {path for path in of_ours if not path.startswith("..")} <= files_of(made)  # the command is in ../../../bin

    installs(made, "--no-deps", THEIRS)
    uninstalls(made, "pixel-env")
    assert works(made, USE_THEIRS) and not works(made, USE_OURS)
    assert of_ours & files_of(made) == set()

    installs(made, "--no-deps", wheel)  # ours after theirs
    assert works(made, f"{USE_THEIRS}\n{USE_OURS}")

    uninstalls(made, "pixel-env")
    installs(made, "hatchling>=1.26")
    installs(made, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    assert works(made, f"{USE_THEIRS}\n{USE_OURS}")
    assert str(ROOT) in made.run("-c", "import agents.rollout as m; print(m.__file__)", cwd=tmp_path).stdout

    assert_the_table_is_that_of_the_release(made)
    uninstalls(made, TABLE["distribution"])
    assert works(made, USE_OURS) and not works(made, USE_THEIRS)


def assert_the_table_is_that_of_the_release(installation):
    code = """
        import agents, importlib.metadata as m, json
        inside = [file.parts[1] for file in m.files("openai-agents") if file.parts[0] == "agents"]
        modules = {name.removesuffix(".py") for name in inside} - {"__pycache__"}
        public = {name for name in dir(agents) if not name.startswith("_")} - modules
        print(json.dumps({"modules": sorted(modules), "attributes": sorted(public)}))
    """
    done = installation.run("-c", code.replace("\n        ", "\n"), cwd=installation.folder)
    read = json.loads(done.stdout)
    assert {name: TABLE[name] for name in read} == read

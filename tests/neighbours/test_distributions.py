"""Distributions that bring a package of one of our names: both are found, whichever of the two Python sees first."""

import pytest

from tests.installations import editable_installation, wheel_installation


@pytest.fixture(params=["editable", "wheel"])
def installed(request, tmp_path):
    if request.param == "editable":
        return editable_installation(tmp_path / "environment")
    return wheel_installation(tmp_path / "environment", request.getfixturevalue("wheel"))


def add_distribution(installed, name, files):
    """Puts `files` (path -> text) into site-packages, with the metadata by which the distribution `name` is known."""
    metadata = f"{name.replace('-', '_')}-1.0.dist-info"
    facts = {
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{metadata}/RECORD": "".join(f"{path},,\n" for path in files),
    }
    for path, text in {**files, **facts}.items():
        target = installed.site_packages / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def printed(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("files", "theirs"),
    [
        ({"agents/__init__.py": "from agents.tool import OWN\n", "agents/tool.py": "OWN = 1\n"}, "agents"),
        ({"benchmarks/__init__.py": "", "benchmarks/speed.py": "OWN = 1\n"}, "benchmarks.speed"),
        ({"rewards/mine.py": "OWN = 1\n"}, "rewards.mine"),
        ({"synth.py": "OWN = 1\n"}, "synth"),
    ],
)
def test_a_package_a_folder_and_a_single_file_of_another_distribution_leave_ours_importable(
    installed, tmp_path, files, theirs
):
    add_distribution(installed, "neighbour", files)
    ours = "agents.rollout, rewards.shaping, synth.plans.mix, benchmarks.text_tables"
    for order in (f"{theirs}, {ours}", f"{ours}, {theirs}"):
        assert printed(installed.run("-c", f"import {order}; print({theirs}.OWN)", cwd=tmp_path)) == "1\n"
    made = installed.run("-m", "pixel_env", "synth", "--count", "1", "--workers", "1", "--out", "traces", cwd=tmp_path)
    assert "1 of 1 traces" in printed(made)


def test_a_distribution_that_has_a_module_of_ours_is_named_with_the_way_out(tmp_path):
    installed = editable_installation(tmp_path / "environment")
    add_distribution(installed, "same-names", {"agents/__init__.py": "", "agents/rollout.py": "OWN = 1\n"})
    command = installed.run("-m", "pixel_env", "synth", "--count", "1", cwd=tmp_path)
    imported = installed.run("-c", "import agents.config.episode", cwd=tmp_path)
    for done in (command, imported):
        last = done.stderr.splitlines()[-1]
        assert done.returncode != 0 and "agents/rollout.py" in last and "same-names" in last
        assert "two virtual environments" in last
    assert printed(installed.run("-c", "import agents.rollout as theirs; print(theirs.OWN)", cwd=tmp_path)) == "1\n"

"""Installations of pixel-env in virtual environments of their own: what a user has, apart from the tests' checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.paths import ROOT

START_FILES = ROOT / "tools" / "neighbours"


@dataclass(frozen=True)
class Installation:
    """A virtual environment without pip: `python` to run, `site_packages` to look into."""

    folder: Path

    @property
    def python(self):
        return self.folder / "bin" / "python"

    @property
    def site_packages(self):
        return self.folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"

    def run(self, *arguments, cwd, on_path=()):
        """The finished process of `python ARGUMENTS` in the folder `cwd`; `on_path` is PYTHONPATH."""
        quiet = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            cwd=cwd,
            env={**quiet, "PYTHONPATH": os.pathsep.join(map(str, on_path))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def pip(self, *arguments):
        """The finished process of pip, that of the tests' own environment, on this one."""
        command = [sys.executable, "-m", "pip", "--python", self.python, *arguments, "--quiet", "--no-input"]
        command += ["--no-compile"] if arguments[0] == "install" else []
        return subprocess.run(list(map(str, command)), cwd=self.folder, capture_output=True, text=True, timeout=600)


def empty_installation(folder):
    """A virtual environment in `folder` that holds nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, capture_output=True)
    return Installation(folder)


def with_packages_of_the_tests(installation):
    """The same, with numpy, torch and the rest as the tests have them, and without our checkout."""
    (installation.site_packages / "zz_tests.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return installation


def editable_installation(folder):
    """As `pip install -e .` leaves it, without asking a package index."""
    made = with_packages_of_the_tests(empty_installation(folder))
    (made.site_packages / "_pixel_env.pth").write_text(f"{ROOT}\n")
    for file in START_FILES.glob("_pixel_env_neighbours.*"):
        shutil.copy(file, made.site_packages)
    return made


def wheel_installation(folder, wheel):
    """As `pip install WHEEL` leaves it, without asking a package index."""
    made = with_packages_of_the_tests(empty_installation(folder))
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(made.site_packages)
    return made


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The file of the wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))

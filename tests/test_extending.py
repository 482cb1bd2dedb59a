"""Every recipe of docs/extending.md works as it is written: its files are put into a folder and its tests are run."""

import os
import re
import subprocess
import sys

from PIL import Image

from pixel_env.cli import main
from pixel_env.tasks import load_tasks
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n(?=# (\w+\.py)\n)(.*?)```", PAGE, re.DOTALL))


def test_every_block_of_the_page_is_a_file_and_every_file_has_its_test():
    assert len(FILES) == PAGE.count("```python")
    ours = {name for name in FILES if not name.startswith("test_")}
    assert ours and {f"test_{name}" for name in ours} == FILES.keys() - ours


def test_the_recipes_pass_their_own_tests_outside_of_the_package(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout


def test_the_pages_own_commands_check_and_prepare_the_format_of_the_page(tmp_path, monkeypatch, capsys):
    commands = re.findall(r"`pixel-env (data \w+ my_formats:SURVEYS[^`]*)`", PAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_formats.py").write_text(FILES["my_formats.py"], encoding="utf-8")
    Image.new("RGB", (400, 300)).save(tmp_path / "desk.png")
    (tmp_path / "survey.csv").write_text("photo,question,reply\ndesk.png,Which digit?,7\n")
    (tmp_path / "README.md").write_text("# The survey\n\nPhotos, questions, and replies, of a desk.\n")
    try:
        assert {command.split()[1] for command in commands} == {"check", "prepare"}
        for command in commands:
            assert main(command.replace("FOLDER", str(tmp_path)).split()) == 0
            assert "survey: 1 tasks of the format 'surveys' in 1 rows" in capsys.readouterr().out
        assert len(load_tasks(f"my_formats:SURVEYS:{tmp_path}")) == 1
    finally:
        sys.modules.pop("my_formats", None)

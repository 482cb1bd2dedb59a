"""Every recipe of docs/extending.md works as it is written: its files are put into a folder and its tests are run."""

import os
import re
import subprocess
import sys

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

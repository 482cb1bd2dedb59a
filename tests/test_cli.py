"""The command `pixel-env`: finds commands, turns errors into messages, and stays light."""

import importlib
import subprocess
import sys
import textwrap

import pytest

from pixel_env import cli
from pixel_env.cli import COMMANDS, Command, main
from pixel_env.errors import PixelEnvError
from tests.cpu_time import cpu_seconds_of_children, seconds_of_importing_gymnasium
from tests.paths import ROOT


@pytest.fixture
def command(monkeypatch):
    """Puts a function behind the command name `try`."""

    def install(function):
        monkeypatch.setitem(COMMANDS, "try", Command("pixel_env.stub:main", "a command for this test"))
        monkeypatch.setattr(cli, "_load", lambda target: function)

    return install


def run_python(code, *, first_on_path=()):
    """What `code` prints in a fresh interpreter outside the checkout's own folder."""
    paths = [str(path) for path in (*first_on_path, ROOT)]
    code = f"import sys; sys.path[:0] = {paths!r}\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text and command.help in text for name, command in COMMANDS.items())


def test_no_argument_shows_the_help(capsys):
    assert main([]) == 0
    assert "usage: pixel-env" in capsys.readouterr().out


@pytest.mark.parametrize("imported", ["import pixel_env", "from pixel_env.cli import main; main(['--help'])"])
def test_the_help_and_the_bare_package_import_nothing_but_python(imported):
    loaded = run_python(f"""
        before = set(sys.modules)
        {imported}
        added = {{name.partition(".")[0] for name in set(sys.modules) - before}}
        print("loaded:", sorted(added - sys.stdlib_module_names))
    """)
    assert "loaded: ['pixel_env']" in loaded


def test_help_costs_less_than_importing_gymnasium():
    def show_help():
        subprocess.run([sys.executable, "-m", "pixel_env", "--help"], cwd=ROOT, check=True, capture_output=True)

    assert min(cpu_seconds_of_children(show_help) for _ in range(3)) < seconds_of_importing_gymnasium()


def test_the_version_is_that_of_the_distribution(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pixel-env {importlib.metadata.version('pixel-env')}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_leads_to_a_function(name):
    assert callable(cli._load(COMMANDS[name].target))


def test_a_command_gets_the_rest_of_the_line_and_gives_the_exit_code(command):
    seen = []
    command(lambda argv: seen.append(argv) or 7)
    assert main(["try", "--steps", "3"]) == 7
    assert seen == [["--steps", "3"]]


def test_a_misspelt_command_gets_a_suggestion(capsys):
    assert main(["grop"]) == 2
    message = capsys.readouterr().err
    assert "'grop'" in message and "'grpo'" in message and "Traceback" not in message


def test_an_error_of_the_user_is_one_message_without_a_traceback(command, capsys):
    def fails(argv):
        raise PixelEnvError("the file is empty; give one with rows")

    command(fails)
    assert main(["try"]) == 2
    assert capsys.readouterr().err == "pixel-env: the file is empty; give one with rows\n"


def test_a_warning_of_ours_is_one_message_without_a_line_of_code_and_others_stay_as_they_are(tmp_path):
    row = '{"id": "a", "question": "What is 1 + 1?", "answer": "2"}'
    (tmp_path / "tasks.jsonl").write_text(f"{row}\n{{}}\n")
    told = run_python(f"""
        import contextlib, io, warnings
        from pixel_env import cli
        sys.stdin = io.StringIO()
        before = warnings.formatwarning
        with contextlib.redirect_stderr(sys.stdout), contextlib.chdir({str(tmp_path)!r}):
            cli.main(["play", "--tasks", "tasks.jsonl"])
            cli._load = lambda target: lambda argv: warnings.warn("of somebody else") or 0
            cli.main(["play"])
        print("restored", warnings.formatwarning is before)
    """)
    lines = told.splitlines()
    assert lines[0].startswith("pixel-env: tasks: 1 bad row(s) of 2; ") and "line 2" in lines[1]
    assert "BadRowsWarning" not in told and "warnings.warn(f" not in told
    assert "UserWarning: of somebody else" in told and "restored True" in told


def test_a_defect_keeps_its_traceback(command):
    def fails(argv):
        raise ZeroDivisionError

    command(fails)
    with pytest.raises(ZeroDivisionError):
        main(["try"])


@pytest.mark.parametrize(
    ("module", "extra"), [("torch.nn", "train"), ("trl", "train"), ("vllm", "vllm"), ("av", "video")]
)
def test_a_missing_extra_is_told_with_the_command_that_installs_it(command, capsys, module, extra):
    def fails(argv):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    command(fails)
    assert main(["try"]) == 2
    assert f"pip install 'pixel-env[{extra}]'" in capsys.readouterr().err


def test_a_missing_module_that_no_extra_brings_is_a_defect(command):
    def fails(argv):
        raise ModuleNotFoundError("No module named 'agents.typo'", name="agents.typo")

    command(fails)
    with pytest.raises(ModuleNotFoundError):
        main(["try"])


def test_control_c_ends_with_one_line_and_130(command, capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    command(interrupted)
    assert main(["try"]) == 130
    assert capsys.readouterr().err == "pixel-env try: interrupted\n"


@pytest.mark.parametrize("words", [["dialect"], ["dialect", "show", "longvt", "--yaml"]])
def test_a_reader_that_goes_away_is_no_traceback(words):
    with subprocess.Popen(
        [sys.executable, "-m", "pixel_env", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_another_broken_pipe_is_a_defect(command):
    def broken(argv):
        raise BrokenPipeError

    command(broken)
    with pytest.raises(BrokenPipeError):
        main(["try"])

"""A user's own files with the names of our packages: what hides ours is named, what does not hide it just works."""

import ast

import pytest

from pixel_env.neighbours import NAMES
from tests.installations import ROOT, START_FILES, editable_installation, wheel_installation

A_MODULE_OF = {
    "agents": "agents.grpo",
    "rewards": "rewards.shaping",
    "synth": "synth.plans",
    "benchmarks": "benchmarks.text_tables",
}
"""One module of each of the four, at its top, that needs no library of the training extra."""
SHOUTS = "print('RUN')\nOWN = 'mine'\n"


@pytest.fixture(scope="module", params=["editable", "wheel"])
def installed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "environment"
    if request.param == "editable":
        return editable_installation(folder)
    return wheel_installation(folder, request.getfixturevalue("wheel"))


def with_file(project, name):
    (project / f"{name}.py").write_text(SHOUTS)
    return project / f"{name}.py"


def with_package(project, name):
    (project / name).mkdir()
    (project / name / "__init__.py").write_text(SHOUTS)
    (project / name / "mine.py").write_text("OWN = 'mine'\n")
    return project / name


def printed(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_four_names_are_the_same_in_the_library_and_at_the_start_of_python():
    tree = ast.parse((START_FILES / "_pixel_env_neighbours.py").read_text())
    names = next(node.value for node in tree.body if isinstance(node, ast.Assign))
    assert set(ast.literal_eval(names)) == NAMES == set(A_MODULE_OF)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_four_packages_have_no_init_and_their_packages_all_have_one(name):
    assert not (ROOT / name / "__init__.py").exists()
    inner = {path.parent for path in (ROOT / name).rglob("*.py")} - {ROOT / name}
    assert [str(folder) for folder in inner if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("made", [with_file, with_package])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_import_of_ours_names_the_users_file_that_hides_it(installed, tmp_path, name, made):
    own = made(tmp_path, name)
    (tmp_path / "script.py").write_text(f"import {A_MODULE_OF[name]}\n")
    done = installed.run("script.py", cwd=tmp_path)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and str(own) in last and "rename it" in last and A_MODULE_OF[name] in last


@pytest.mark.parametrize("made", [with_file, with_package])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_command_names_the_users_file_that_hides_ours_and_does_not_run_it(installed, tmp_path, name, made):
    own = made(tmp_path, name)
    done = installed.run("-m", "pixel_env", "synth", "--count", "1", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and str(own) in done.stderr and "rename it" in done.stderr


def test_a_file_on_pythonpath_is_named_as_well(installed, tmp_path):
    (tmp_path / "library").mkdir()
    own = with_file(tmp_path / "library", "benchmarks")
    done = installed.run("-m", "pixel_env", "compare", cwd=tmp_path, on_path=[tmp_path / "library"])
    assert done.returncode == 2 and str(own) in done.stderr and "PYTHONPATH" in done.stderr


def test_a_module_run_by_its_name_says_what_hides_it(installed, tmp_path):
    own = with_file(tmp_path, "agents")
    done = installed.run("-m", "agents.grpo.command", "--help", cwd=tmp_path)
    assert done.returncode == 1 and str(own) in done.stderr and "rename it" in done.stderr


def test_importing_a_package_of_ours_by_from_says_what_hides_it(installed, tmp_path):
    own = with_file(tmp_path, "agents")
    done = installed.run("-c", "from agents import grpo", cwd=tmp_path)
    assert str(own) in done.stderr.splitlines()[-1]


def test_the_hint_is_given_without_the_files_at_the_start_of_python_once_pixel_env_is_imported(installed, tmp_path):
    own = with_file(tmp_path, "synth")
    code = "import sys; sys.path.insert(0, '.'); import pixel_env, synth.plans"
    done = installed.run("-S", "-c", code, cwd=tmp_path, on_path=[ROOT, dependencies(installed)])
    assert str(own.name) in done.stderr.splitlines()[-1] and "rename it" in done.stderr


def dependencies(installed):
    return (installed.site_packages / "zz_tests.pth").read_text().strip()


def test_commands_that_need_none_of_the_four_work_beside_a_users_file(installed, tmp_path):
    with_file(tmp_path, "agents")
    assert "usage" in printed(installed.run("-m", "pixel_env", "play", "--help", cwd=tmp_path))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_users_own_folder_without_init_merges_with_ours(installed, tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.py").write_text("OWN = 'mine'\n")
    code = f"import {A_MODULE_OF[name]} as ours, {name}.mine; print({name}.mine.OWN, ours.__name__)"
    assert printed(installed.run("-c", code, cwd=tmp_path)) == f"mine {A_MODULE_OF[name]}\n"
    assert "usage" in printed(installed.run("-m", "pixel_env", "synth", "--help", cwd=tmp_path))


def test_a_module_in_such_a_folder_that_hides_one_of_ours_is_named_when_ours_is_needed(installed, tmp_path):
    (tmp_path / "rewards").mkdir()
    own = tmp_path / "rewards" / "curiosity.py"
    own.write_text("OWN = 'mine'\n")
    assert printed(installed.run("-c", "import rewards.curiosity as own; print(own.OWN)", cwd=tmp_path)) == "mine\n"
    for arguments in (["-m", "pixel_env", "compare"], ["-c", "import rewards.shaping"]):
        done = installed.run(*arguments, cwd=tmp_path)
        assert done.returncode != 0 and str(own) in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("first", ["", "import pixel_env\n"])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_user_who_needs_none_of_ours_does_not_notice_us(installed, tmp_path, name, first):
    with_package(tmp_path, name)
    inner = A_MODULE_OF[name].partition(".")[2]
    (tmp_path / name / f"{inner}.py").write_text("OWN = 'same name as one of ours'\n")
    code = f"{first}import {name}.mine, {A_MODULE_OF[name]} as same\nprint({name}.OWN, {name}.mine.OWN, same.OWN)"
    assert printed(installed.run("-c", code, cwd=tmp_path)) == "RUN\nmine mine same name as one of ours\n"
    missing = installed.run("-c", f"import {name}.nothing", cwd=tmp_path)
    assert missing.stderr.splitlines()[-1] == f"ModuleNotFoundError: No module named '{name}.nothing'"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_users_file_of_that_name_is_imported_and_run_as_ever(installed, tmp_path, name):
    with_file(tmp_path, name)
    code = f"import {name}, inspect, importlib; importlib.reload({name}); print({name}.OWN, inspect.getsource({name}))"
    assert printed(installed.run("-c", code, cwd=tmp_path)) == f"RUN\nRUN\nmine {SHOUTS}\n"
    assert printed(installed.run("-m", name, cwd=tmp_path)) == "RUN\n"
    missing = installed.run("-c", f"import {name}.nothing", cwd=tmp_path)
    assert missing.stderr.splitlines()[-1].startswith(f"ModuleNotFoundError: No module named '{name}.nothing'")


@pytest.mark.parametrize("first", ["", "import rewards.shaping; "])
def test_an_own_function_in_a_file_with_the_name_of_a_package_of_ours_is_asked_to_be_renamed(
    installed, tmp_path, first
):
    """The console command adds the working folder to the path when it loads 'module:name', and not before (-P)."""
    (tmp_path / "rewards.py").write_text("def mine(trajectories): ...\n")
    code = f"{first}from pixel_env.import_callable import imported; imported('rewards:mine', 'group reward')"
    done = installed.run("-P", "-c", code, cwd=tmp_path)
    if first:
        assert "rename your file" in done.stderr.splitlines()[-1]
    else:
        assert done.returncode == 0, done.stderr


def test_a_file_that_comes_to_hide_ours_while_a_command_runs_is_a_message_as_well(installed, tmp_path):
    own = with_file(tmp_path, "synth")
    code = f"""if True:
        import sys
        from pixel_env import cli
        def later(argv):
            sys.path.insert(0, {str(tmp_path)!r})
            import synth.plans
        cli.COMMANDS["try"] = cli.Command("pixel_env.stub:main", "")
        cli._load = lambda target: later
        sys.exit(cli.main(["try"]))
    """
    done = installed.run("-P", "-c", code, cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and str(own) in done.stderr


def test_the_start_of_python_loads_nothing_of_ours_but_one_small_file(installed, tmp_path):
    loaded = printed(installed.run("-c", "import sys; print(*sys.modules)", cwd=tmp_path)).split()
    assert "_pixel_env_neighbours" in loaded
    assert not {"pixel_env", "numpy", "gymnasium", "importlib.machinery", "pathlib", "typing"} & set(loaded)

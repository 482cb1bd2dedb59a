"""What the README and the other pages say is so: snippets run, commands parse, names, paths and links lead somewhere.

Depends on how `tests/pages.py` reads a page; independent of the titles, order and length of the pages.
"""

import ast
import contextlib
import importlib
import io
import json
import re
import shlex
import sys
from functools import cache

import pytest
from PIL import Image

from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.cli import COMMANDS, main
from pixel_env.command_line.names import shown_name
from pixel_env.dialects.table import DIALECTS
from pixel_env.failures import FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import Operation
from pixel_env.tasks import load_tasks
from pixel_env.types import Stop
from tests.definitions import PACKAGES, definitions
from tests.pages import PAGES, README, command_lines
from tests.paths import RECIPES, ROOT

PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)

# ------------------------------------------------------------------------------------------------------- snippets


def draw_images_of(rows, folder):
    """Draws every image and frame that the rows name."""
    for row in rows:
        names = [row["image"]] if isinstance(row.get("image"), str) else row.get("image", [])
        for name in [*names, *row.get("frames", [])]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (256, 256), "white").save(folder / name)


def task_blocks(page):
    """The JSON blocks of a page whose lines are tasks."""
    return [block for block in page.blocks_in("json", "jsonl") if '"question"' in block.text.split("\n")[0]]


@PAGE
def test_every_block_of_tasks_loads_as_it_stands(page, tmp_path):
    for number, block in enumerate(task_blocks(page)):
        rows = block.text.splitlines()
        draw_images_of(map(json.loads, rows), tmp_path)
        (tmp_path / f"{number}.jsonl").write_text(block.text, encoding="utf-8")
        assert len(load_tasks(tmp_path / f"{number}.jsonl", strict=True)) == len(rows)


@PAGE
def test_every_other_block_of_json_is_json(page):
    for block in page.blocks_in("json", "jsonl"):
        try:
            json.loads(block.text)
        except json.JSONDecodeError:
            assert all(isinstance(json.loads(line), dict) for line in block.text.splitlines())


@pytest.fixture
def workplace(tmp_path, tiny_checkpoint, monkeypatch):
    """A working folder with what the README's snippets name: its files, its tasks with images, and a checkpoint."""
    for block in task_blocks(README):
        draw_images_of(map(json.loads, block.text.splitlines()), tmp_path)
        (tmp_path / (block.file or "my-tasks.jsonl")).write_text(block.text, encoding="utf-8")
    modules = [block for block in README.blocks if block.file and block.file.endswith(".py")]
    for block in modules:
        (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    (tmp_path / "my-checkpoint").symlink_to(tiny_checkpoint)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for block in modules:
        sys.modules.pop(block.file.removesuffix(".py"), None)


@pytest.fixture
def small_training(monkeypatch):
    """Trainings of the snippets take one step with a few tokens."""
    import agents.grpo
    import agents.grpo.config

    small = {"dialect": "tiny", "max_turns": 2, "max_turn_tokens": 4, "max_completion_length": 8, "num_generations": 2}
    small |= {"per_device_train_batch_size": 6, "max_steps": 1, "logging_steps": 1, "save_strategy": "no"}
    small |= {"use_cpu": True, "gradient_checkpointing": False, "disable_tqdm": True}
    config = agents.grpo.config.PixelGRPOConfig
    small_config = lambda **options: config(**(options | small))  # noqa: E731
    monkeypatch.setattr(agents.grpo, "PixelGRPOConfig", small_config, raising=False)


def test_the_python_blocks_of_the_readme_run_in_order_and_print_what_stands_below_them(workplace, small_training):
    names = {"__name__": "readme"}
    for block in README.blocks_in("python"):
        if block.file is not None:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, "README.md", "exec"), names)  # what a reader would paste
        if block.output is not None:
            assert printed.getvalue().rstrip() == block.output.rstrip()


@PAGE
def test_the_python_blocks_of_every_page_compile_and_import_what_exists(page):
    for block in page.blocks_in("python"):
        for statement in ast.walk(ast.parse(block.text)):
            match statement:
                case ast.ImportFrom(module=module, names=names) if module.split(".")[0] in PACKAGES:
                    assert [name.name for name in names if not leads_somewhere(f"{module}.{name.name}")] == []
                case ast.Import(names=names):
                    ours = [name.name for name in names if name.name.split(".")[0] in PACKAGES]
                    assert [name for name in ours if not leads_somewhere(name)] == []


# ------------------------------------------------------------------------------------------------------- commands


def commands_of_pages():
    for page in PAGES:
        for line in dict.fromkeys(command_lines(page)):
            yield pytest.param(line, id=f"{page.name}: {line[:60]}")


@cache
def flags_of(*command):
    """The flags that a command's help names, with `_` for `-`, those of `--help-all` included."""
    printed = io.StringIO()
    for flag in ("--help", "--help-all"):
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.suppress(SystemExit),
        ):
            main([*command, flag])
    return {flag.replace("-", "_") for flag in re.findall(r"--([a-z][\w-]*)", printed.getvalue())}


@pytest.mark.parametrize("line", list(commands_of_pages()))
def test_every_command_of_the_pages_exists_with_its_flags(line):
    name, *words = shlex.split(line)
    assert name in COMMANDS
    ours = words[: words.index("--")] if "--" in words else words  # what follows belongs to another program
    given = [word[2:].partition("=")[0].replace("-", "_") for word in ours if word.startswith("--")]
    parts = words[:1] if name in ("data", "dialect", "protocol") else []  # the commands that have commands
    known = {"help", "help_all", "config", *flags_of(name, *parts)}
    assert [flag for flag in given if shown_name(flag, name) not in known] == []


@pytest.mark.parametrize("line", [one for one in commands_of_pages() if "--config " in one.values[0]])
def test_every_recipe_that_a_command_names_exists(line):
    recipe = re.search(r"--config (\S+)", line)[1]
    assert recipe.isupper() or (ROOT / recipe).is_file() or (RECIPES / f"{recipe}.yaml").is_file()


@PAGE
def test_every_make_target_of_a_page_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    written = "\n".join([*page.code_spans, *(block.text for block in page.blocks)])
    targets = re.findall(r"(?m)(?:^|&& )make ([a-z][\w-]*)", written)
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


def test_continuous_integration_runs_the_tests_as_the_readme_does():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in README.text and script.rstrip().endswith("make test")


# ------------------------------------------------------------------------------------------------ names and places


@cache
def leads_somewhere(name):
    """Whether a dotted name is a module, a definition, or an attribute of what can be imported."""
    parts = name.replace(":", ".").split(".")
    path = ROOT.joinpath(*parts)
    if path.is_dir() or path.with_suffix(".py").is_file() or name in {one.name for one in definitions(ROOT)}:
        return True
    for length in range(len(parts) - 1, 0, -1):
        with contextlib.suppress(ImportError):
            found = importlib.import_module(".".join(parts[:length]))
            for part in parts[length:]:
                found = getattr(found, part, None)
            return found is not None
    return False


@PAGE
def test_every_dotted_name_of_a_page_leads_somewhere(page):
    ours = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+(?::\w+)?(?:\(\))?")
    spans = {span for span in page.code_spans if not span.endswith(".json")}  # a file, such as pixel_env.json
    names = {span.removesuffix("()") for span in spans if ours.fullmatch(span)}
    assert sorted(name for name in names if not leads_somewhere(name)) == []


@PAGE
def test_every_path_of_a_page_exists(page):
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"runs", ".venv", ".git"}
    spans = {span.partition("::")[0].partition(":")[0] for span in page.code_spans}
    paths = {span for span in spans if re.fullmatch(r"[\w.*-]+(?:/[\w.*-]+)*/?", span) and span.split("/")[0] in tops}
    folders = (ROOT, page.path.parent)
    missing = [path for path in paths if not any(any(folder.glob(path.rstrip("/"))) for folder in folders)]
    assert sorted(path for path in missing if "/" in path) == []


@PAGE
def test_every_link_and_anchor_of_a_page_leads_somewhere(page):
    by_path = {other.path: other for other in PAGES}
    broken = []
    for link in page.links:
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        if not path.exists() or (anchor and path in by_path and anchor not in by_path[path].anchors):
            broken.append(link)
    assert broken == []


@PAGE
def test_every_test_that_a_page_names_exists(page):
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))}
    named = {span for span in page.code_spans if re.fullmatch(r"test_\w+", span)}
    assert sorted(named - known - {file.stem for file in files}) == []


# --------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("failure codes", [code.value for code in FailureCode]),
        ("stop reasons", [stop.value for stop in Stop]),
        ("dialects", list(DIALECTS)),
        ("recipes", sorted(path.stem for path in RECIPES.glob("*.yaml"))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_of_the_pages_lists_all(what, names):
    tables = [set(table) for page in PAGES for table in page.tables]
    closest = max(tables, key=lambda table: len(table & set(names)))
    assert closest == set(names), f"no table of the pages lists all {what} and nothing else"


def test_the_calls_in_the_table_of_dialects_mean_the_lower_right_quarter():
    [rows] = [table for page in PAGES for table in page.tables if set(table) == set(DIALECTS)]
    for name, cells in rows.items():
        read = [parse(cell.replace("\\|", "|"), DIALECTS[name], [(560, 560)], [(560, 560)]) for cell in cells]
        quarters = [one.box.iou(Box(0.5, 0.5, 1.0, 1.0)) for one in read if isinstance(one, CropImage)]
        assert max(quarters, default=0.0) > 0.999 or "crop_image" not in DIALECTS[name].operations, name
        assert any(isinstance(one, Operation) for one in read), name

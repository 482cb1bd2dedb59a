"""The picture of the imports: packages and modules of each level form layers, so nothing imports in a circle.

The layers that have names are contracts of import-linter in pyproject.toml. Here it is computed, for every level, that
the rest has an order at all.
"""

import tomllib
from collections import defaultdict

import grimp
import pytest

from tests.installations import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
TOP = CONTRACTS["root_packages"]


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*TOP, cache_dir=None)


@pytest.fixture(scope="module")
def imports(graph):
    """Every import between two modules of ours, also inside functions and for annotations: (importer, imported)."""
    return [
        (importer, imported)
        for importer in sorted(graph.modules)
        for imported in sorted(graph.find_modules_directly_imported_by(importer))
    ]


def room(module, depth):
    """The package or module at `depth` that holds `module`: "agents.chat.plain" at depth 2 is in "agents.chat"."""
    return ".".join(module.split(".")[:depth])


def picture(imports, depth):
    """Arrow between rooms -> the imports that draw it. A package and its own modules are one room beside each other."""
    arrows = defaultdict(list)
    for importer, imported in imports:
        ends = room(importer, depth), room(imported, depth)
        if not f"{ends[0]}.".startswith(f"{ends[1]}.") and not f"{ends[1]}.".startswith(f"{ends[0]}."):
            arrows[ends].append(f"{importer} imports {imported}")
    return arrows


def circular(arrows):
    """The arrows that lie on some circle: what is left when rooms without an arrow in, or out, are taken away."""
    left = set(arrows)
    while left:
        kept = {(a, b) for a, b in left if any(a == end for _, end in left) and any(b == start for start, _ in left)}
        if kept == left:
            break
        left = kept
    return left


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_nothing_imports_in_a_circle(imports, depth):
    arrows = picture(imports, depth)
    assert {arrow: arrows[arrow] for arrow in sorted(circular(arrows))} == {}


@pytest.mark.parametrize("package", TOP)
def test_each_package_is_in_the_picture_with_all_its_modules(graph, package):
    files = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / package).rglob("*.py")]
    modules = {".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in files}
    assert modules - graph.modules == set() and len(modules) > 4


def test_a_circle_of_three_rooms_is_found_and_what_leads_to_it_is_not():
    imports = [("a.one", "a.two"), ("a.two.x", "a.three"), ("a.three.y", "a.two.z"), ("a.three", "a.four")]
    assert circular(picture(imports, 2)) == {("a.two", "a.three"), ("a.three", "a.two")}
    assert circular(picture([pair for pair in imports if pair[0] != "a.three.y"], 2)) == set()


def test_imports_run_down_the_order_of_the_five_packages(imports):
    order = next(contract["layers"] for contract in CONTRACTS["contracts"] if contract["layers"][-1] == "pixel_env")
    upward = [pair for pair in imports if order.index(room(pair[0], 1)) > order.index(room(pair[1], 1))]
    assert sorted(order) == sorted(TOP) and upward == []


def test_no_module_imports_a_command(imports):
    """A command is loaded by its name in the table of pixel_env/cli.py; what two commands need stands beside them."""
    assert [pair for pair in imports if pair[1].split(".")[-1] == "command"] == []


def test_the_table_of_commands_is_imported_by_what_runs_it_and_by_nothing_else(imports):
    importers = {importer for importer, imported in imports if imported == "pixel_env.cli"}
    assert importers == {"pixel_env.__main__", "benchmarks.pipeline.child"}

"""The data sets of the table: fetched by name, played by their ids, and what is said of one that is not there."""

import gymnasium as gym
import pytest

from pixel_env import cli
from pixel_env.errors import TaskError, UnknownNameError
from pixel_env.registration import BENCHMARKS, ENVIRONMENTS
from pixel_env.tasks import load_tasks
from pixel_env.tasks.data_sets import DATA_SETS
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.tasks.preparation.named import PREPARED_PREFIX, folder_of

SETS = {name: tasks.removeprefix(PREPARED_PREFIX) for name, tasks in BENCHMARKS.items()}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXEL_ENV_DATA", str(tmp_path / "home"))


@pytest.fixture
def downloads(published, tmp_path, monkeypatch):
    """A hub that has HR-Bench with both of its sets and TreeBench. Returns what was asked for."""
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(repo_id, *, repo_type, allow_patterns):
        asked.append((repo_id, allow_patterns))
        snapshot = tmp_path / "snapshot" / repo_id
        for pattern in allow_patterns:
            if pattern.startswith("hr_bench"):
                published["hr-bench-parquet"](snapshot)
                (snapshot / "hr_bench_4k.parquet").rename(snapshot / pattern)
        if repo_id == "Mini-o3/VisualProbe_Hard":
            published["visual-probe"](snapshot)
        return str(snapshot)

    monkeypatch.setattr(hub, "snapshot_download", download)
    return asked


def test_every_board_has_an_id_a_data_set_and_formats_that_exist():
    assert set(ENVIRONMENTS).isdisjoint(BENCHMARKS)
    assert len(SETS) == len(set(SETS.values())) == 13
    for name, data_set in SETS.items():
        known = DATA_SETS[data_set]
        assert known.formats and set(known.formats) <= set(FORMATS) and known.about
        assert gym.spec(name).kwargs == {"tasks": f"prepared:{data_set}"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_id_whose_set_is_not_prepared_says_how_to_get_it_in_one_line(name):
    with pytest.raises(TaskError) as error:
        gym.make(name)
    said = str(error.value)
    assert "\n" not in said and f"pixel-env data prepare {SETS[name]} --from FOLDER" in said
    assert "tasks=FOLDER" in said and str(folder_of(SETS[name])) in said
    assert (f"run: pixel-env data prepare {SETS[name]}," in said) == bool(DATA_SETS[SETS[name]].hub_id)


def test_an_id_plays_the_set_once_it_is_prepared(downloads, capsys):
    assert cli.main(["data", "prepare", "hr-bench-4k"]) == 0
    said = capsys.readouterr().out
    assert "licence: " in said and "fetching DreamMr/HR-Bench" in said and "12 tasks" in said
    assert downloads == [("DreamMr/HR-Bench", ["hr_bench_4k.parquet"])]
    env = gym.make("PixelReasoning-HRBench4K-v0")
    _, info = env.reset(options={"task_id": "hr_bench_4k-5"})
    assert info["task_id"] == "hr_bench_4k-5" and info["notice"] == ""
    assert env.step("\\boxed{B}")[1] == 1.0
    with pytest.raises(TaskError, match="'hr-bench-8k' is not in"):
        gym.make("PixelReasoning-HRBench8K-v0")


def test_two_sets_of_one_repository_have_folders_of_their_own(downloads):
    for name in ("hr-bench-4k", "hr-bench-8k"):
        assert cli.main(["data", "prepare", name]) == 0
        assert len(load_tasks(f"prepared:{name}", strict=True)) == 12
    assert folder_of("hr-bench-4k") != folder_of("hr-bench-8k")
    assert [path.name for path in folder_of("hr-bench-8k").glob("*.parquet")] == ["hr_bench_8k.parquet"]


def test_a_set_that_has_a_repository_of_its_own_is_fetched_whole(downloads):
    assert cli.main(["data", "prepare", "visual-probe-hard"]) == 0
    assert "*.json" in downloads[0][1] and len(load_tasks("prepared:visual-probe-hard", count=2)) == 2


def test_files_that_the_user_has_are_prepared_where_they_are(published, tmp_path, capsys):
    published["treebench"](tmp_path / "mine")
    assert cli.main(["data", "prepare", "treebench", "--from", str(tmp_path / "mine")]) == 0
    assert "categories: Perception/Material 1" in capsys.readouterr().out
    assert gym.make("PixelReasoning-TreeBench-v0", tasks=str(tmp_path / "mine")).reset(seed=0)


def test_an_unknown_name_of_a_prepared_set_is_told_the_closest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'treebench'"):
        load_tasks("prepared:treebensh")


def test_the_name_of_a_set_without_prepared_says_how_it_is_given():
    with pytest.raises(TaskError, match="give prepared:treebench"):
        load_tasks("treebench")


def test_a_mistyped_format_before_a_path_that_exists_is_named_and_not_the_path(tmp_path):
    with pytest.raises(UnknownNameError, match=r"'tabel'. Did you mean 'table'"):
        load_tasks(f"tabel:{tmp_path}")


@pytest.mark.parametrize(
    "name", ["tabel:gone.csv", "gone.csv", "gone.parquet", "gone.tar", "gone.tsv", "gone", "a/b/c"]
)
def test_a_path_that_is_not_there_is_said_to_be_missing_whatever_its_suffix(name):
    with pytest.raises(TaskError, match=f"there is no file or folder '{name}'.*owner/name"):
        load_tasks(name)

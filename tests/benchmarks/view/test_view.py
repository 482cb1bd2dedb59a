import base64
import hashlib
import io
import json
import re
import sys
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

import pytest
from PIL import Image

from agents.metrics.trajectories import rapr
from benchmarks.evaluation.records import Record, read_evaluation
from benchmarks.view import command as view_command
from benchmarks.view import page as view_page
from benchmarks.view.command import main
from benchmarks.view.page import page, read_run, write_page
from benchmarks.view.rows import Run, groups_of
from pixel_env import PixelEnv
from pixel_env.errors import ConfigError, MediaError, UnknownNameError
from pixel_env.task import Task
from pixel_env.types import Limits, Prompt, Stop, Trajectory
from rewards.shaping import paper
from tests.benchmarks.view.runs import (
    DEFAULT,
    GUESS,
    HOSTILE,
    HOSTILE_PART,
    LOOK_TWICE,
    OWN_REWARD,
    POLICY,
    SELECT,
    STUMBLE,
    answer,
    call,
    crop,
    hostile_tasks,
    write_run,
)
from tests.pixel_env.operations.films import film_task

SVG = "http://www.w3.org/2000/svg"


class Scripts(HTMLParser):
    """The script elements of a page as a browser finds them, and what the other elements would load."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.loads, self.policy = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "script":
            self.scripts.append((attributes.get("id"), ""))
        if "http-equiv" in attributes:
            self.policy = attributes["content"]
        self.loads += [attributes[name] for name in ("src", "href", "action") if name in attributes]

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)

    def json(self, name):
        return json.loads(dict(self.scripts)[name])


def view(*arguments):
    assert main([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("view") / "run", [GUESS, LOOK_TWICE, STUMBLE, LOOK_TWICE])


@pytest.fixture(scope="module")
def text(run):
    view(run)
    return (run / "view.html").read_text()


@pytest.fixture(scope="module")
def data(text):
    return Scripts(text).json("data")


def test_every_trajectory_of_the_evaluation_is_on_the_page_with_the_text_of_every_turn(run, data):
    records = read_evaluation(run).records
    assert len(records) == 15
    shown = {row["id"]: row for row in data["trajectories"]}
    assert len(shown) == len(data["trajectories"]) == len(records)
    for record in records:
        trajectory = record.trajectory
        row = shown[f"{POLICY}/{trajectory.task.task_id}/{'greedy' if record.sample is None else record.sample}"]
        assert [turn["text"] for turn in row["turns"]] == [str(turn.text) for turn in trajectory.turns]
        assert (row["stop"], row["reward"], row["answer"]) == (trajectory.stop, trajectory.reward, trajectory.answer)
        assert data["tasks"][row["task"]]["question"] == trajectory.task.question
        assert [data["texts"][place] for place in row["prompt"]] == [
            trajectory.prompt.system,
            trajectory.prompt.question,
        ]


def test_the_page_asks_nothing_of_the_network(text):
    scripts = Scripts(text)
    assert scripts.loads == [] and scripts.policy.startswith("default-src 'none'")
    code = dict(scripts.scripts)[None] + text.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest|import\(", code.replace(SVG, ""))


def test_a_browser_may_run_this_very_script_and_no_other(text):
    scripts = Scripts(text)
    digest = base64.b64encode(hashlib.sha256(dict(scripts.scripts)[None].encode()).digest()).decode()
    assert re.search(r"script-src ([^;]*);", unescape(scripts.policy)).group(1) == f"'sha256-{digest}'"


def test_the_script_puts_texts_into_text_nodes_only(text):
    code = dict(Scripts(text).scripts)[None]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code)


def test_hostile_text_of_tasks_and_models_stays_text(tmp_path):
    run = write_run(
        tmp_path / HOSTILE[:12].replace("/", "") / "run", [(HOSTILE,)], tasks=hostile_tasks(tmp_path / "data")
    )
    view(run)
    scripts = Scripts((run / "view.html").read_text())
    assert [name for name, _ in scripts.scripts] == ["data", "pictures", None]
    data = scripts.json("data")
    [task] = data["tasks"]
    assert task["question"] == task["category"] == task["answers"][0] == task["id"] == HOSTILE
    assert data["trajectories"][0]["turns"][0]["text"] == HOSTILE


def test_broken_unicode_of_a_model_survives():
    text = page("a <title> & more", {"text": "\ud800</script>"}, {})
    text.encode("utf-8")
    assert Scripts(text).json("data") == {"text": "\ud800</script>"} and "<title>a &lt;title&gt; &amp; more<" in text


def test_every_look_has_its_box_on_the_source_its_picture_and_the_size_that_the_model_saw(run, data):
    embedded = Scripts((run / "view.html").read_text()).json("pictures")
    row = next(row for row in data["trajectories"] if row["sample"] == 1)
    first, second = (look for turn in row["turns"] for look in turn["looks"])
    assert first["box"] == [0.1, 0.1, 0.5, 0.6] and second["box"] == pytest.approx([0.18, 0.2, 0.46, 0.5])
    names = {look["picture"] for look in (first, second)} | {*row["opening"], *data["tasks"][row["task"]]["sources"]}
    assert len(names) == 4
    for name in names:
        width, height = data["pictures"]["sizes"][name]
        with Image.open(io.BytesIO(base64.b64decode(embedded[name]))) as picture:
            assert max(picture.size) <= 768 and picture.width / picture.height == pytest.approx(
                width / height, rel=0.02
            )


def test_a_failed_call_has_its_code_and_message_and_a_refused_crop_its_box(data):
    row = next(row for row in data["trajectories"] if row["sample"] == 2)
    assert [turn["code"] for turn in row["turns"]] == ["unknown_operation", "crop_too_small", "no_such_image", None]
    assert [turn["refused"] for turn in row["turns"]] == [
        None,
        {"source": 0, "box": [0.5, 0.5, 0.502, 0.9]},
        None,
        None,
    ]
    assert "at least 28" in row["turns"][1]["message"] and (row["operations"], row["executed"]) == (3, 0)


def test_a_group_has_its_rapr_and_each_rollout_its_reward_parts_and_advantage(run, data):
    group = next(group for group in groups_of(read_evaluation(run).records) if len(group) == 4)
    trajectories = [record.trajectory for record in group]
    ids = {f"{POLICY}/{group[0].trajectory.task.task_id}/{number}": number for number in range(4)}
    rows = sorted((row for row in data["trajectories"] if row["id"] in ids), key=lambda row: ids[row["id"]])
    assert len({row["group"] for row in rows}) == 1
    assert data["groups"][rows[0]["group"]] == {"size": 4, "rapr": rapr(trajectories)} and rapr(trajectories) == 0.5
    parts = paper(trajectories)
    assert [row["parts"]["penalty"] for row in rows] == pytest.approx(list(parts.penalty_G), abs=1e-4)
    assert [row["total"] for row in rows] == pytest.approx(list(parts.total_G), abs=1e-4)
    advantages = parts.total_G - parts.total_G.mean()
    assert [row["advantage"] for row in rows] == pytest.approx(list(advantages), abs=1e-4)


@pytest.fixture
def own_reward(tmp_path, monkeypatch):
    """The working folder of a user with a reward in a file."""
    module = f"own_view_reward_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(OWN_REWARD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return module


def test_the_parts_of_a_reward_of_ones_own_are_in_the_rows_with_their_weights(run, own_reward, tmp_path):
    view(run, "--group_reward", f"{own_reward}:four_parts", "--output", tmp_path / "own.html")
    scripts = Scripts((tmp_path / "own.html").read_text())
    assert [name for name, _ in scripts.scripts] == ["data", "pictures", None]
    data = scripts.json("data")
    assert data["parts"] == ["turns", "7", "__proto__", HOSTILE_PART]
    for row in data["trajectories"]:
        assert set(row["parts"]) == set(row["weights"]) == set(data["parts"])
        assert (row["parts"]["turns"], row["weights"]["turns"]) == (len(row["turns"]), -0.25)
        assert row["total"] == -0.25 * len(row["turns"]) + (row["executed"] > 0) + 0.125


def test_a_page_without_a_graded_question_has_no_part(tmp_path):
    asked = Trajectory(Task("t", "Where?", (), media="text"), Prompt("", "Where?"), (), stop=Stop.ANSWERED, answer="x")
    write_page(tmp_path / "page.html", [Run("run", [Record(asked, POLICY, None)], DEFAULT.budgets)], paper)
    assert Scripts((tmp_path / "page.html").read_text()).json("data")["parts"] == []


def test_a_reward_whose_parts_change_from_question_to_question_is_refused(run, own_reward):
    with pytest.raises(ConfigError, match=f"{own_reward}:parts_by_task.*same parts for every group"):
        main([str(run), "--group_reward", f"{own_reward}:parts_by_task"])


@pytest.mark.parametrize("name", ["papre", "{module}:four_part"])
def test_a_misspelt_reward_is_answered_before_the_run_is_read(run, own_reward, name, monkeypatch):
    monkeypatch.setattr(view_command, "read_run", lambda *rest, **options: pytest.fail("read"))
    with pytest.raises((ConfigError, UnknownNameError), match="Did you mean"):
        main([str(run), "--group_reward", name.format(module=own_reward)])


def test_selected_frames_of_a_video_are_marked_by_their_number(tmp_path):
    run = write_run(tmp_path / "run", [SELECT], tasks="sample:mvbench", count=1, greedy=False)
    view(run)
    data = Scripts((run / "view.html").read_text()).json("data")
    [task], [row] = data["tasks"], data["trajectories"]
    assert task["media"] == "video" and len(task["sources"]) == 16
    assert [look["source"] for look in row["turns"][0]["looks"]] == [1, 6, 11]
    assert row["turns"][1]["looks"][0]["source"] == 6 and row["opening"] == []


def test_a_selected_frame_is_marked_where_it_stands_even_if_another_has_the_same_pixels(tmp_path):
    Image.new("RGB", (320, 240), "grey").save(tmp_path / "grey.png")
    row = {"question": "What moves?", "answer": "nothing", "frames": ["grey.png"] * 12}
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row) + "\n")
    run = write_run(tmp_path / "run", [SELECT], tasks=tmp_path / "tasks.jsonl")
    view(run)
    data = Scripts((run / "view.html").read_text()).json("data")
    assert [look["source"] for look in data["trajectories"][0]["turns"][0]["looks"]] == [1, 6, 11]


def test_frames_that_the_overview_does_not_show_are_on_the_page_and_marked_nowhere_in_the_strip(tmp_path):
    env = PixelEnv([film_task(tmp_path)], dialect="default+select_segment+frame_at_time", limits=Limits(8, 64))
    env.reset(seed=0)
    for text in (
        call("select_segment", start_time=2.2, end_time=2.4, fps=10),
        call("frame_at_time", time="00:03"),
        crop(0.2, 0.2, 0.9, 0.8, image=17),
        crop(0.2, 0.2, 0.21, 0.8, image=17),
        answer("7"),
    ):
        env.step(text)
    write_page(tmp_path / "page.html", [Run("run", [Record(env.trajectory, POLICY, None)], env.budgets)], paper)
    [row] = Scripts((tmp_path / "page.html").read_text()).json("data")["trajectories"]
    sources = [[look["source"] for look in turn["looks"]] for turn in row["turns"]]
    assert sources == [[None, 3, None], [], [None], [], []]
    assert row["turns"][3]["refused"]["source"] is None and "has the number 31" in row["turns"][1]["observation"]


def test_two_runs_stand_on_one_page_paired_by_rollout(run, tmp_path):
    other = write_run(tmp_path / "other", [LOOK_TWICE, GUESS])
    view(run, "--other", other, "--output", tmp_path / "pair.html")
    data = Scripts((tmp_path / "pair.html").read_text()).json("data")
    first, second = ({row["id"] for row in data["trajectories"] if row["run"] == place} for place in (0, 1))
    assert len(first) == 15 and len(second) == 9 and second < first
    assert [shown["name"] for shown in data["runs"]] == [str(run), str(other)]


def test_two_runs_that_share_no_rollout_are_said_to(run, tmp_path, capsys):
    other = write_run(tmp_path / "other", [SELECT], tasks="sample:mvbench", count=1)
    view(run, "--other", other, "--limit", 1, "--output", tmp_path / "pair.html")
    assert "share no rollout" in capsys.readouterr().err


def test_a_limit_keeps_the_first_questions_with_all_their_rollouts(run, tmp_path):
    view(run, "--limit", 1, "--output", tmp_path / "one.html")
    data = Scripts((tmp_path / "one.html").read_text()).json("data")
    assert len(data["tasks"]) == 1 and len(data["trajectories"]) == 5
    with pytest.raises(ConfigError, match="got '0'; wanted: a whole number, at least 1"):
        main([str(run), "--limit", "0"])


def test_pictures_of_a_large_run_lie_in_a_folder_beside_the_page(run, tmp_path, monkeypatch):
    monkeypatch.setattr(view_page, "EMBEDDED_IMAGES", 3)
    view(run, "--output", tmp_path / "large.html")
    scripts = Scripts((tmp_path / "large.html").read_text())
    data = scripts.json("data")
    assert scripts.json("pictures") == {} and data["pictures"]["folder"] == "large_pictures"
    files = {path.stem for path in (tmp_path / "large_pictures").iterdir()}
    assert files == set(data["pictures"]["sizes"])
    assert all(set(task["sources"]) <= files for task in data["tasks"])


def test_the_same_run_gives_the_same_page(run, text, tmp_path):
    view(run, "--output", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == text


def test_a_sample_set_says_that_it_is_no_score_of_the_benchmark(data):
    assert "no V* score" in data["runs"][0]["notice"]


def test_a_folder_without_an_evaluation_is_refused_naming_those_below_it(run, tmp_path):
    with pytest.raises(ConfigError, match="pixel-env eval --output_dir"):
        main([str(tmp_path)])
    with pytest.raises(ConfigError, match=re.escape(str(run))):
        main([str(run.parent)])


@dataclass(frozen=True)
class Lost:
    """A picture that could be read while the episode was played."""

    key: str = "lost"

    def decode(self):
        raise MediaError("the disk is gone")


def test_a_picture_that_cannot_be_read_any_more_is_named_and_the_rest_is_shown(run, tmp_path):
    task = Task("t", "Where?", ("here",), (Lost(),))
    played = Trajectory(task, Prompt("", "Where?"), task.opening_views, stop=Stop.ANSWERED, answer="here")
    lost = Run("lost", [Record(played, POLICY, None)], DEFAULT.budgets)
    reasons = write_page(tmp_path / "lost.html", [lost, read_run(run, limit=1)], paper)
    assert set(reasons) == {"the disk is gone"}
    data = Scripts((tmp_path / "lost.html").read_text()).json("data")
    assert data["tasks"][0]["sources"][0] in data["pictures"]["unreadable"] and len(data["trajectories"]) == 6


def test_an_episode_that_broke_is_shown_and_belongs_to_no_group(tmp_path):
    task = Task("t", "Where?", ("here",), media="text")
    right = Trajectory(task, Prompt("", "Where?"), (), stop=Stop.ANSWERED, answer="here", reward=1.0)
    wrong = Trajectory(task, Prompt("", "Where?"), (), stop=Stop.ANSWERED, answer="there")
    broke = Trajectory(task, Prompt("", "Where?"), (), stop=Stop.FAILED, error="the engine died")
    records = [Record(trajectory, POLICY, number) for number, trajectory in enumerate((broke, right, wrong))]
    write_page(tmp_path / "page.html", [Run("run", records, DEFAULT.budgets)], paper)
    data = Scripts((tmp_path / "page.html").read_text()).json("data")
    assert data["groups"] == [{"size": 2, "rapr": 0.0}] and data["trajectories"][0]["error"] == "the engine died"
    assert [row.get("advantage") for row in data["trajectories"]] == [None, 0.5, -0.5]


@pytest.mark.parametrize("name", ["trajectories.jsonl", "picture.png", "folder", "folder.html", "page"])
def test_a_page_is_written_over_no_other_file_nor_over_a_folder(run, tmp_path, name, monkeypatch):
    monkeypatch.setattr(view_command, "read_run", lambda *rest, **options: pytest.fail("read"))
    path = tmp_path / name
    if "folder" in name:
        path.mkdir()
    elif name != "page":
        path.write_text("mine")
    with pytest.raises(ConfigError, match=r"--output.*\.html"):
        main([str(run), "--output", str(path)])
    assert path.is_dir() or not path.exists() or path.read_text() == "mine"
    with pytest.raises(ConfigError, match=r"\.html"):
        write_page(path, [], paper)


def test_a_page_that_cannot_be_written_is_a_message(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be written to .*page\.htm.*--output"):
        main([str(run), "--output", str(tmp_path / "file" / "page.htm")])

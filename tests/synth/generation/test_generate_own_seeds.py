"""`pixel-env synth` on the user's own seed data: what is kept, and messages when the data change or do not suffice."""

import json

import pytest
from PIL import Image

from agents.traces.folder import read_trace_folder
from pixel_env.cli import main
from pixel_env.errors import TaskError


def picture(number):
    return Image.effect_noise((900, 700), 60 + number).convert("RGB").rotate(17 * number)


@pytest.fixture
def seeds(tmp_path):
    """A file of six questions, each about a picture of its own beside it."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    rows = []
    for number in range(6):
        picture(number).save(folder / f"{number}.png")
        rows.append(
            {
                "question": f"Which number is on sign {'abcdef'[number]}?",
                "image": f"{number}.png",
                "answer": str(20 + number),
                "evidence": [{"image": 0, "box": [0.5, 0.5, 0.55, 0.56]}],
            }
        )
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "seeds.jsonl"


def made(seeds, out, *flags):
    return main(
        [
            "synth",
            "--seeds",
            str(seeds),
            "--out",
            str(out),
            "--workers",
            "1",
            "--media",
            "image=1",
            "--count",
            "4",
            *flags,
        ]
    )


def test_images_are_referred_to_by_their_paths(seeds, tmp_path):
    out = tmp_path / "out"
    assert made(seeds, out, "--licence", "CC-BY-4.0, Ann") == 0
    task_set, traces = read_trace_folder(out)
    assert len(traces) == 4 and all(source.path.is_file() for task in task_set.tasks for source in task.sources)
    assert json.loads((out / "task_set.json").read_text())["seeds_folder"] == "../seeds"
    assert "CC-BY-4.0, Ann" in (out / "README.md").read_text() and not (out / "ATTRIBUTION.md").exists()
    (seeds.parent / "0.png").rename(seeds.parent / "moved.png")
    for number in range(1, 6):
        (seeds.parent / f"{number}.png").unlink()
    with pytest.raises(TaskError, match="seeds_folder"):
        read_trace_folder(out)


def edit_answer(seeds):
    seeds.write_text(seeds.read_text().replace('"answer": "2', '"answer": "9'))


def edit_boxes(seeds):
    seeds.write_text(seeds.read_text().replace("0.55, 0.56", "0.56, 0.55"))


def edit_pictures(seeds):
    for number in range(6):
        picture(number + 1).save(seeds.parent / f"{number}.png")


@pytest.mark.parametrize("edit", [edit_answer, edit_boxes, edit_pictures])
def test_seeds_that_were_edited_are_never_given_the_traces_of_what_they_were(seeds, tmp_path, capsys, edit):
    assert made(seeds, tmp_path / "out") == 0
    edit(seeds)
    assert made(seeds, tmp_path / "out") == 2
    assert "images or annotations differ" in capsys.readouterr().err
    assert made(seeds, tmp_path / "other") == 0


def test_the_folder_of_the_seeds_may_move(seeds, tmp_path):
    assert made(seeds, tmp_path / "out") == 0
    before = (tmp_path / "out" / "traces.jsonl").read_bytes()
    (tmp_path / "elsewhere").mkdir()
    seeds.parent.rename(tmp_path / "elsewhere" / "seeds")
    # The configuration names the seeds' path: another one is another configuration, so only the journal is taken along.
    (tmp_path / "out" / "configuration.json").unlink()
    assert made(tmp_path / "elsewhere" / "seeds" / "seeds.jsonl", tmp_path / "out") == 0
    assert (tmp_path / "out" / "traces.jsonl").read_bytes() == before


def test_a_row_that_cannot_be_used_is_left_out_unless_strict_is_set(seeds, tmp_path, capsys):
    seeds.write_text(seeds.read_text() + '{"question": "Which?"}\n')
    with pytest.warns(UserWarning, match="line 7: 'answer' is missing"):
        assert made(seeds, tmp_path / "out") == 0
    assert made(seeds, tmp_path / "strict", "--strict") == 2
    assert "line 7" in capsys.readouterr().err


def test_kinds_for_which_the_seeds_do_not_suffice_are_told_once_each_with_the_last_reason(seeds, tmp_path, capsys):
    """With two pictures of a trace there is room for one crop, so recrops are dropped when they are played."""
    few = ("--max_images", "2", "--image_kinds", "single_pass=1", "recrop_once=1")
    assert made(seeds, tmp_path / "out", *few) == 1
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(warned) == 1 and "2 of 2 recrop_once traces (image) are missing:" in warned[0]
    assert "The last plan was dropped for: not_answered" in warned[0]

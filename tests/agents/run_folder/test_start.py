"""Where a training run starts."""

import json

import pytest

from agents.run_folder.checkpoints import mark_whole
from agents.run_folder.contents import results_in
from agents.run_folder.start import Length, keep_finished, start_of
from pixel_env.errors import ConfigError

FOUR = Length(4, 3.0)


@pytest.fixture
def run(tmp_path):
    """A folder with whole checkpoints of these steps."""

    def make(*steps):
        for step in steps:
            (tmp_path / f"checkpoint-{step}").mkdir()
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
            mark_whole(tmp_path / f"checkpoint-{step}")
        return tmp_path

    return make


def start(folder, wanted=FOUR, given=None, *, restart=False):
    return start_of(folder, wanted, given, restart=restart)


def test_an_empty_folder_starts_from_the_beginning_without_a_word(run):
    assert start(run()) == start(run() / "new")
    assert (start(run()).checkpoint, start(run()).note) == (None, "")


def test_a_run_goes_on_from_its_newest_whole_checkpoint_and_says_so(run):
    folder = run(2, 4)
    (folder / "checkpoint-6").mkdir()
    for given in (None, "last"):
        found = start(folder, Length(8, 3.0), given)
        assert found.checkpoint == str(folder / "checkpoint-4") and not found.is_finished
        assert "goes on from step 4" in found.note and "checkpoint-6 is not whole" in found.note


def test_without_a_whole_checkpoint_the_run_starts_from_the_beginning_and_says_so(run):
    folder = run()
    (folder / "checkpoint-6").mkdir()
    found = start(folder)
    assert found.checkpoint is None and "from the beginning; checkpoint-6 is not whole" in found.note
    assert "from the beginning" in start(run() / "new", given="last").note


def test_another_checkpoint_of_the_run_is_taken_if_it_is_given(run):
    folder = run(2, 4)
    assert start(folder, given=str(folder / "checkpoint-2")).checkpoint == str(folder / "checkpoint-2")


@pytest.mark.parametrize("wanted", [FOUR, Length(3, 9.0), Length(-1, 2.0), Length(0, 1.5)])
def test_a_finished_run_names_its_model_and_trains_no_further(run, wanted):
    folder = run(4)
    keep_finished(folder, 4, 2.0)
    found = start(folder, wanted)
    assert found.is_finished and f"Its model: {folder}" in found.note and "--restart" in found.note


@pytest.mark.parametrize("wanted", [Length(5, 3.0), Length(-1, 3.0)])
def test_a_finished_run_that_was_lengthened_goes_on(run, wanted):
    folder = run(4)
    keep_finished(folder, 4, 2.0)
    assert start(folder, wanted).checkpoint == str(folder / "checkpoint-4")


def test_a_finished_run_without_a_checkpoint_cannot_be_lengthened(run):
    folder = run()
    keep_finished(folder, 4, 2.0)
    with pytest.raises(ConfigError, match=r"after 4 steps and left no whole checkpoint.*--restart"):
        start(folder, Length(5, 3.0))


def test_a_broken_note_that_a_run_is_finished_is_named(run):
    (run() / "finished.json").write_text('{"steps": []}')
    with pytest.raises(ConfigError, match=r"finished\.json cannot be read.*Remove it"):
        start(run())


def test_a_restart_removes_what_the_run_wrote_lists_it_and_leaves_a_users_own_files(run):
    folder = run(9, 10)
    keep_finished(folder, 10, 2.0)
    ours = ["model.safetensors", "config.json", "summary.json", "configuration.json", "log.jsonl", "training_args.bin"]
    theirs = [
        "notes.txt",
        "data.safetensors",
        "runs/mine/model.safetensors",
        "traces/traces.jsonl",
        "checkpoint-best/a",
        "checkpoint-99/notes.txt",
        "checkpoint-9-copy/trainer_state.json",
    ]
    events = ["runs/Dec01/events.out.tfevents.1", "runs/Dec02/events.out.tfevents.2", "runs/Dec02/mine.txt"]
    for name in [*ours, *theirs, *events]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    found = start(folder, restart=True)
    assert found.checkpoint is None
    assert all(name in found.note for name in [*ours, "checkpoint-9, checkpoint-10", "finished.json", events[0]])
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == sorted([*theirs, "runs/Dec02/mine.txt"]) and not (folder / "runs" / "Dec01").exists()
    assert sorted(results_in(folder)) == ["checkpoint-9-copy", "checkpoint-99"]
    assert "nothing" in start(folder, restart=True).note


def test_a_restart_and_a_checkpoint_to_resume_from_contradict_each_other(run):
    folder = run(2)
    with pytest.raises(ConfigError, match=r"--restart .*--resume_from_checkpoint.*Give one"):
        start(folder, given="last", restart=True)
    assert (folder / "checkpoint-2").exists()


def test_a_link_to_a_checkpoint_is_removed_and_what_it_leads_to_is_not(run, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "weights").write_text(json.dumps(1))
    (run() / "checkpoint-2").symlink_to(elsewhere)
    start(run(), restart=True)
    assert not (run() / "checkpoint-2").is_symlink() and (elsewhere / "weights").exists()

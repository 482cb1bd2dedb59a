import pytest

from agents.rollout import EpisodeSettings
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.types import Answer, Limits
from synth.conversion.agreement import agreement, main
from synth.conversion.detected_mistakes import detected_mistakes
from synth.generation.command import main as synth
from synth.verification.trace_replay import replay_trace

DIALECT = dialect_named("default")
SETTINGS = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
HERE, THERE, AROUND_HERE = Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.8, 0.8), Box(0.0, 0.0, 0.6, 0.6)
UNRELATED, OVERSIZED, FRAMES = Mistake.UNRELATED_REGION, Mistake.OVERSIZED_REGION, Mistake.WRONG_FRAMES


def found(*looks, video=False):
    """What is found in an episode of (action, what is said once it was seen) pairs."""
    said = ["I look closer.", *(text for _, text in looks)]
    done = [write(action, DIALECT) for action, _ in looks] + [write(Answer("7"), DIALECT)]
    turns = tuple(TraceTurn(f"{text}\n{action}") for text, action in zip(said, done, strict=True))
    trace = Trace(tiny_video_task() if video else tiny_task(), turns)
    return list(detected_mistakes(replay_trace(trace, SETTINGS).trajectory, DIALECT))


@pytest.mark.parametrize(
    ("first", "said", "second", "expected"),
    [
        (HERE, "The card is not here.", THERE, UNRELATED),
        (HERE, "That was the wrong place, so I try another one.", THERE, UNRELATED),
        (HERE, "", THERE, UNRELATED),
        (HERE, "This one shows a 4. Now the other card.", THERE, None),
        (HERE, "I can read it clearly. The question is not only about this card.", THERE, None),
        (HERE, "Nothing to see.", Box(0.2, 0.2, 0.4, 0.4), UNRELATED),
        (AROUND_HERE, "This is too wide to read anything.", HERE, OVERSIZED),
        (AROUND_HERE, "It holds the card. But it is still tiny.", HERE, OVERSIZED),
        (AROUND_HERE, "There is the card; I zoom in.", HERE, None),
        (HERE, "I missed some of it, so I take more around.", AROUND_HERE, UNRELATED),
        (HERE, "This part shows a blue bus. It does not help.", THERE, UNRELATED),
        (HERE, "It shows the sky; the sign is not here.", THERE, UNRELATED),
        (HERE, "This crop shows a tree; the sign must be elsewhere.", THERE, UNRELATED),
        (HERE, "This is another place than the one that I need. Next I look there.", THERE, UNRELATED),
        (HERE, "It shows a blue bus.", THERE, None),
        (HERE, "The first car is red. Let me look at another car.", THERE, None),
        (HERE, "The first region was empty sky. Let me look at another one.", THERE, UNRELATED),
        (HERE, "This crop shows the part that I chose. Something that matters lies elsewhere, too.", THERE, None),
        (HERE, "It shows a red car. But this is not all that the question is about.", THERE, None),
        (AROUND_HERE, "This is too wide.", Box(0.0, 0.0, 0.6, 0.5), UNRELATED),  # 83 % of the area: no closer look
        (AROUND_HERE, "This is too wide.", Box(0.4, 0.4, 0.8, 0.8), UNRELATED),  # a quarter of it lies inside
        (AROUND_HERE, "This is too wide.", Box(0.3, 0.3, 0.7, 0.6), UNRELATED),  # three quarters of it do
    ],
)
def test_a_crop_is_wrong_if_the_next_one_corrects_it(first, said, second, expected):
    assert found((CropImage(0, first), said), (CropImage(0, second), "It is a 7.")) == [expected, None, None]


def test_a_crop_of_a_crop_is_compared_where_it_lies_in_the_image():
    inside = HERE.relative_to(AROUND_HERE)
    looks = (CropImage(0, AROUND_HERE), "The region is too large."), (CropImage(1, inside), "It is a 7.")
    assert found(*looks) == [OVERSIZED, None, None]


@pytest.mark.parametrize(
    ("first", "said", "second", "expected"),
    [
        ((0, 1), "No card is there.", (8, 9), FRAMES),
        ((0, 1), "", (8, 9), FRAMES),
        ((0, 1), "They show a man at a door. That does not help.", (8, 9), FRAMES),
        ((0, 1), "The first digit is clear; next I look at the end.", (8, 9), None),
        ((4, 5, 6), "", (5,), None),
    ],
)
def test_frames_are_wrong_if_the_next_ones_correct_them(first, said, second, expected):
    looks = (SelectFrames(first), said), (SelectFrames(second), "It is a 7.")
    assert found(*looks, video=True) == [expected, None, None]


def test_an_operation_of_the_other_kind_corrects_nothing():
    looks = (SelectFrames((4,)), "I cannot read the digit yet."), (CropImage(16, HERE), "It is a 7.")
    assert found(*looks, video=True) == [None, None, None]


def test_every_mistake_of_a_row_is_detected_wherever_it_stands():
    looks = (CropImage(0, HERE), "Not here."), (CropImage(0, THERE), "Wrong again."), (CropImage(0, AROUND_HERE), "7.")
    assert found(*looks) == [UNRELATED, UNRELATED, None, None]


def test_a_refused_operation_is_no_mistake_of_this_kind():
    looks = (SelectFrames((1,)), "That was wrong."), (CropImage(0, HERE), "It is a 7.")
    assert found(*looks) == [None, None, None]


def flagged(mistake, *looks):
    turns = [TraceTurn(f"{text}\n{write(action, DIALECT)}") for text, action in looks]
    turns[0] = TraceTurn(turns[0].text, train=False, mistake=mistake)
    trace = Trace(tiny_task(), tuple(turns))
    return trace, replay_trace(trace, SETTINGS).trajectory


def test_the_agreement_counts_operations_by_what_was_flagged_and_detected():
    end = ("So it is.", Answer("7"))
    agreed = flagged(UNRELATED, ("A card.", CropImage(0, HERE)), ("Not here.", CropImage(0, THERE)), end)
    only_found = flagged(None, ("A card.", CropImage(0, HERE)), ("Not here.", CropImage(0, THERE)), end)
    only_flagged = flagged(OVERSIZED, ("A card.", CropImage(0, AROUND_HERE)), ("", CropImage(0, HERE)), end)
    result = agreement([agreed, only_found, only_flagged], DIALECT)
    assert (result.precision, result.recall, result.same_kind) == (0.5, 0.5, 1.0)
    assert "| oversized_region | 1 | 0 | 0 | 0 |" in result.table()


def test_the_template_teachers_mistakes_are_detected(tmp_path, capsys):
    flags = ["--count", "30", "--media", "image=3", "video=1", "--video_kinds", "single_pass=1", "reselect=1"]
    assert synth(["--out", str(tmp_path), "--workers", "1", *flags]) == 0
    capsys.readouterr()
    assert main([str(tmp_path)]) == 0
    figures = capsys.readouterr().out.splitlines()[-2]
    precision, recall = (float(figures.split(name)[1].split(",")[0]) for name in ("precision ", "recall "))
    assert precision > 0.9 and recall > 0.9

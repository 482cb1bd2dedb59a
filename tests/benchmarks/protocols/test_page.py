"""docs/protocols.md is what the values say; calls as checkpoints write them do what the page tells."""

import pytest

from benchmarks.protocols.checkpoint_calls import HABITS, call_in, outcomes_of
from benchmarks.protocols.command import main
from benchmarks.protocols.page import GOLDEN, page
from benchmarks.protocols.table import PROTOCOLS, protocol_named
from pixel_env.actions import parse
from pixel_env.dialects.table import DIALECTS
from tests.paths import ROOT


def test_the_committed_page_is_the_one_that_the_values_make():
    committed = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    assert committed == page(ROOT / GOLDEN), "run: python -m benchmarks.protocols.page > docs/protocols.md"


@pytest.mark.parametrize("name", DIALECTS)
def test_what_a_habit_does_is_told_for_every_dialect(name):
    outcomes = list(outcomes_of(DIALECTS[name], ()))
    assert [one.habit for one in outcomes] == [habit.name for habit in HABITS]
    assert all(one.happens and one.why for one in outcomes)
    assert not any("no call" in one.happens for one in outcomes if one.text and call_in(DIALECTS[name]) in one.text)


def outcome(dialect, habit, tested=()):
    [found] = [one for one in outcomes_of(DIALECTS[dialect], tested) if one.habit == habit]
    return found


def test_the_rules_of_dialects_decide():
    assert outcome("released", "two calls").happens == "the last call is executed"
    assert outcome("deepeyes", "two calls").happens.startswith("the first call is executed")
    assert outcome("qwen3.5", "two calls").happens == "both calls are executed"
    assert outcome("default", "a label").happens.startswith("refused") and "label" in outcome("default", "a label").text
    assert outcome("qwen3-vl-zoom", "a label").happens == "the call is executed"
    assert outcome("deepeyes", "a draft in a thought, then the answer").happens == "it is the answer"
    assert outcome("mini-o3", "a draft in a thought, then the answer").happens == "the call is executed"


def test_what_differs_from_a_projects_code_is_told_with_its_reason_and_what_is_untested_is_not_claimed():
    assert "Unlike its own code: a call wins" in outcome("deepeyes", "a call and an answer in one turn").why
    assert "As its own code" not in outcome("deepeyes", "two calls").why
    assert "As its own code" in outcome("deepeyes", "two calls", tested=("two_calls",)).why


def test_the_texts_are_calls_of_the_dialect():
    for dialect in DIALECTS.values():
        assert parse(call_in(dialect), dialect, [(1120, 784)], [(2240, 1568)]).name in dialect.operations


def test_the_command_lists_and_shows_protocols_with_their_sources(capsys, tmp_path):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(f"\n{name} " in out for name in PROTOCOLS)
    assert main(["show", "mini-o3"]) == 0
    out = capsys.readouterr().out
    assert "Mini-o3/Mini-o3@8654dbf README.md:193" in out and "V* 88.2 avg@32" in out
    assert main(["show", "mini-o3", "--yaml"]) == 0
    (tmp_path / "mine.yaml").write_text(capsys.readouterr().out)
    assert protocol_named(str(tmp_path / "mine.yaml")).published == PROTOCOLS["mini-o3"].published

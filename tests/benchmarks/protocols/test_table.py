"""Protocols are complete values: of a dialect that exists, with a place for every fact, and they can be files."""

import json
import re

import pytest

from benchmarks.evaluation.as_published import played_name
from benchmarks.protocols.files import protocol_from_row, protocol_to_row
from benchmarks.protocols.protocol import PromptText, Protocol, Retries
from benchmarks.protocols.table import PROTOCOLS, protocol_named, protocols_named
from benchmarks.protocols.texts import read_text
from pixel_env.dialects.prompt_files import prompt_hash
from pixel_env.dialects.table import PEERS
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, UnknownNameError
from tests.paths import ROOT

PUBLISHED = [name for name, protocol in PROTOCOLS.items() if protocol.repository]
SCORED = r"V\*|HR-Bench|MME-RealWorld|VisualProbe"
"""Benchmarks of which scores are published, unlike gains over a baseline."""
OWN = Protocol(name="own", about="a protocol of a user's", limits=Limits(3))


def test_every_row_of_another_projects_model_has_a_protocol_in_its_dialect():
    assert set(PUBLISHED) == set(PEERS)
    assert all(PROTOCOLS[name].dialect == name for name in PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_protocol_says_where_each_part_is_written_or_that_nothing_is_published(name):
    protocol = PROTOCOLS[name]
    assert protocol.published or protocol.unpublished
    assert all(re.search(r"\S+/\S+@[0-9a-f]{7} \S+|reported by", one.where) for one in protocol.published)
    fields = ("dialect",) if name in ("qwen3.5", "glm-4.5v") else ("dialect", "limits", "temperature", "samples")
    assert all(re.match(r"\S+/\S+@\S+ \S+", protocol.source(field)) for field in fields)


@pytest.mark.parametrize("name", [name for name in PUBLISHED if PEERS[name].golden])
def test_a_protocol_agrees_with_what_was_read_in_the_projects_files(name):
    protocol = PROTOCOLS[name]
    facts = json.loads((ROOT / "tests/pixel_env/golden" / PEERS[name].golden).read_text())
    assert facts["commit"] == protocol.commit and facts["repository"] == protocol.repository
    hashes = set(re.findall(r'"sha256": "([0-9a-f]{64})"', json.dumps(facts["prompts"])))
    assert {text.sha256 for text in protocol.texts.values()} <= hashes
    if "images" in facts["limits"] and facts["limits"]["images"] is not None:
        assert protocol.limits.max_images == facts["limits"]["images"]
    wanted = facts["limits"].get("turn_tokens") or facts["limits"].get("action_tokens")
    assert wanted in (None, protocol.max_turn_tokens)
    sampling = facts["sampling"].get("validation", facts["sampling"])
    assert sampling.get("temperature", protocol.temperature) == protocol.temperature
    assert sampling.get("k", protocol.samples) == protocol.samples
    assert facts["limits"].get("tries", 1) == 1 + (protocol.retries.count if protocol.retries else 0)
    scores = {(one["benchmark"], one["value"]) for one in facts["published"] if re.match(SCORED, one["benchmark"])}
    assert scores <= {(one.benchmark, one.value) for one in protocol.published}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_survives_being_written_as_data(name):
    row = json.loads(json.dumps(protocol_to_row(PROTOCOLS[name])))
    assert protocol_from_row(row, "test", protocol_named) == PROTOCOLS[name]


def test_a_protocol_of_your_own_is_a_file_with_what_differs(tmp_path):
    (tmp_path / "first.yaml").write_text("base: mini-o3\nlimits: {max_turns: 6}\ntruncation: {top_p: 0.9}\n")
    (tmp_path / "second.yaml").write_text("base: first.yaml\nretries: {count: 3, temperature: 1.0}\nsamples: 2\n")
    protocol = protocol_named(str(tmp_path / "second.yaml"))
    assert protocol.limits == Limits(6, 12, 32_768) and protocol.truncation.top_p == 0.9
    assert (protocol.retries, protocol.samples, protocol.dialect) == (Retries(3, 1.0), 2, "mini-o3")
    assert protocol.name == str(tmp_path / "second.yaml")


def test_values_of_your_own_do_not_pass_for_published_ones(tmp_path):
    (tmp_path / "mine.yaml").write_text("base: mini-o3\nsamples: 4\nlimits: {max_turns: 6}\ntemperature: 1.0\n")
    mine, published = protocol_named(str(tmp_path / "mine.yaml")), PROTOCOLS["mini-o3"]
    assert mine.source("samples") == mine.source("limits") == ""
    assert mine.source("temperature") == published.source("temperature") != ""
    added = [one for one in mine.deviations if one not in published.deviations]
    assert added == [
        "limits: 6 turns, 12 images, 32,768 tokens; in mini-o3 12 turns, 12 images, 32,768 tokens",
        "samples: 4 a question; in mini-o3 32 a question",
    ]
    (tmp_path / "same.yaml").write_text("base: mini-o3\nsamples: 32\nsources: {samples: my notes}\n")
    same = protocol_named(str(tmp_path / "same.yaml"))
    assert same.deviations == published.deviations and same.sources["samples"] == "my notes"


def test_a_protocol_of_your_own_is_a_value_of_a_module():
    assert protocol_named(f"{__name__}:OWN").limits == Limits(3)
    with pytest.raises(ConfigError, match="is a list"):
        protocol_named(f"{__name__}:PUBLISHED")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: mini-o3\nturns: 3\n", "No key of a protocol named 'turns'"),
        ("base: mini-o4\n", "No protocol named 'mini-o4'. Did you mean 'mini-o3'"),
        ("base: mini-o3\nlimits: {turns: 3}\n", "No field of Limits named 'turns'"),
        ("base: mini-o3\nlimits: {max_turns: 0}\n", "max_turns must be at least 1"),
        ("base: mini-o3\nsamples: many\n", "'samples' is 'many', a text; wanted: a whole number"),
        ("base: mini-o3\nretries: {count: 0}\n", "count >= 1"),
        ("base: mini-o3\nretries: {count: 1, temperature: .inf}\n", "temperature >= 0"),
        ("base: mini-o3\ntruncation: {repetition_penalty: .nan}\n", "repetition_penalty > 0; got"),
        ("base: mini-o3\ntemperature: .inf\n", "wanted: at least 1, at least 1 and at least 0, not infinite"),
        ("base: mini-o3\ntexts: {poem: {sha256: a, file: b, extract: c}}\n", "wanted: system, question"),
        ("base: mine.yaml\n", "its own base"),
        ("name: mine\n", "has a key 'name'"),
    ],
)
def test_a_mistake_in_a_file_is_told_by_its_key(tmp_path, text, message):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises((ConfigError, UnknownNameError), match=re.escape(message)):
        protocol_named(str(tmp_path / "mine.yaml"))


def test_names_come_in_a_list_and_each_counts_once():
    assert [one.name for one in protocols_named("mini-o3, common,mini-o3")] == ["mini-o3", "common"]
    with pytest.raises(ConfigError, match="empty name"):
        protocols_named("mini-o3,,common")


def test_a_wrong_text_is_refused_by_name_and_a_right_one_may_end_with_a_line_break(tmp_path):
    text = "You zoom.\n\nThen you answer."
    known = Protocol("p", "", Limits(), texts={"system": PromptText(prompt_hash(text), "a.py", "value of A")})
    (tmp_path / "right.txt").write_text(text + "\n")
    assert read_text(tmp_path / "right.txt", "system", known) == text
    (tmp_path / "wrong.txt").write_text("You zoom")
    wanted = "mini-o3's system text has sha256 1f02ab1e7ee85e.*, that of .*wrong.txt is .*value of TOOL_CROP_SYSTEM"
    with pytest.raises(ConfigError, match=wanted):
        read_text(tmp_path / "wrong.txt", "system", PROTOCOLS["mini-o3"])


def test_the_variant_of_a_protocol_follows_a_file_whose_folder_has_a_plus_sign():
    notool = PROTOCOLS["notool"]
    assert played_name(notool, "my+runs/own.yaml+rotate") == "my+runs/own.yaml:notool+rotate"
    assert played_name(notool, "default+rotate") == "default:notool+rotate"

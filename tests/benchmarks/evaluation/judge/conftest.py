"""A judge behind a scripted server, and evaluations whose answers a test writes down."""

import json
import re
import threading

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.evaluate import main
from pixel_env.dialects.table import dialect_named
from tests.synth.scripted_server import Served

CHAT = PlainChat(dialect_named("tiny"))


def shown(body):
    """What a request shows the judge."""
    return json.loads(body["messages"][-1]["content"])


def sensible(body, number):
    """Right if a reference stands in the answer, whatever is around it."""
    seen = shown(body)
    texts = [reference.removeprefix("(").lower() for reference in seen["references"]]
    is_right = seen["given"] == "three" or any(text in seen["given"].lower() for text in texts)
    return json.dumps({"verdict": "right" if is_right else "wrong"})


@pytest.fixture
def server(monkeypatch):
    """A running judge; `asked()`: what it was shown, without the example."""
    for name in ("OPENAI_API_KEY", "JUDGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    served = Served()
    served.script = sensible
    served.asked = lambda: [one for one in map(shown, served.bodies) if "cups" not in one["question"]]
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def evaluated(tmp_path, server, monkeypatch):
    """Plays rows, each of which has the model's answer as `says`, and judges them; gives the exit code."""
    pytest.importorskip("httpx")

    def says(conversation):
        return "<answer>" + re.findall(r"\[\[(.*?)\]\]", conversation.text, re.DOTALL)[-1]

    monkeypatch.setattr(command, "engine_of", lambda plan: (ScriptedEngine(says, CHAT), CHAT))

    def play(rows, *flags, url=server.url):
        written = [
            {"id": f"q{place}", "question": f"What? [[{row['says']}]]"}
            | {key: value for key, value in row.items() if key != "says"}
            for place, row in enumerate(rows)
        ]
        (tmp_path / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in written), encoding="utf-8")
        words = ["--model", "none", "--dialect", "tiny", "--tasks", str(tmp_path / "tasks.jsonl")]
        words += ["--policies", "learned_zoom", "--output_dir", str(tmp_path / "run"), "--no-shuffle_options"]
        judge = [] if url is None else ["--judge", url, "--judge_model", "m", "--judge_concurrency", "2"]
        return main([*words, *judge, *flags])

    return play


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


def judged_in(run):
    return metrics_of(run)["policies"]["learned_zoom"]["all"]["judge"]


def verdicts_in(run):
    return [json.loads(line)["judge"] for line in (run / "verdicts.jsonl").read_text().splitlines()]

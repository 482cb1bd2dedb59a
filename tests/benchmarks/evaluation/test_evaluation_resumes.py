"""An evaluation that was cut amid the samples of a question: what is missing is played, and nothing else."""

import json
from pathlib import Path

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation.config import EvalConfig
from benchmarks.evaluation.evaluate import evaluate
from benchmarks.evaluation.plan import planned
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import ROWS
from pixel_env.dialects.table import dialect_named

CHAT = PlainChat(dialect_named("tiny"))


def test_a_question_that_was_cut_amid_its_samples_gets_the_missing_ones_with_their_own_seeds(tmp_path):
    config = EvalConfig(task_count=2, samples=4, policies=(LEARNED_ZOOM,), max_turns=2, output_dir=str(tmp_path))
    (tmp_path / "configuration.json").write_text(json.dumps(config.__dict__))
    rows = Path(tmp_path / ROWS)

    def play():
        engine = ScriptedEngine(lambda conversation: f"<answer>{conversation.request.seed}", CHAT)
        evaluate(planned(config), engine, CHAT)
        return rows.read_text(encoding="utf-8").splitlines()

    whole = play()
    missing = [line for line in whole if json.loads(line)["sample"] in (1, 3)]
    kept = [line for line in whole if line not in missing]
    assert len(missing) == 4 and len({json.loads(line)["answer"] for line in whole}) > 4
    rows.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    resumed = play()
    assert resumed[: len(kept)] == kept and sorted(resumed) == sorted(whole)

"""The measuring example trains on the same conversations on both sides, each in a process of its own."""

import runpy

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load
from agents.rollout import EpisodeSettings
from agents.sft.collator import play
from tests.paths import EXAMPLES


def test_our_trainer_and_trls_collator_are_measured_on_the_same_conversations(monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    main = runpy.run_path(str(EXAMPLES / "measure_sft.py"))["main"]
    ours, trl = (main(["--count", "6", "--batch", "2"])[side] for side in ("ours", "TRL"))
    assert ours.rows == trl.rows == 6 and 0 < ours.tokens <= ours.computed and 0 < trl.tokens <= trl.computed
    assert min(*ours.seconds, *trl.seconds, *ours.collating_s, *trl.collating_s) > 0
    assert "tokens a second (CPU)" in capsys.readouterr().out


def test_a_conversation_as_trl_takes_it_is_the_played_trace_token_by_token(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(EXAMPLES)
    example = runpy.run_path(str(EXAMPLES / "measure_sft.py"))
    _, processor = load(model_folder(example["MODEL"]))
    chat = Chat(processor, example["DIALECT"])
    settings = EpisodeSettings(example["DIALECT"], example["LIMITS"], example["BUDGETS"])
    for trace in example["made_traces"](4, tmp_path):
        played = play(trace, chat, settings)
        row = example["conversation"](played)
        text = processor.apply_chat_template(row["messages"], tokenize=False)
        images = list(played.images) or None
        ids = processor(text=[text], images=images, do_resize=False)["input_ids"][0]
        newline = processor.tokenizer.encode("\n")
        assert [*played.ids, *newline] == list(ids)  # the template ends its last turn with a line

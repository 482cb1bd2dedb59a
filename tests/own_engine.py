"""An engine of a user's own, written outside of the package as the documentation describes it."""

import sys
from contextlib import contextmanager

import pytest

SOURCE = '''
from agents.chat.plain import PlainChat
from agents.engines.protocol import Response
from agents.engines.queued import QueuedEngine
from agents.engines.registry import EngineSpec


class Guesser(QueuedEngine):
    """Crops once where it may, then answers "red"."""

    def __init__(self, chat, call, answer):
        super().__init__()
        self.chat, self.call, self.reply = chat, call, answer

    def answers(self, requests):
        return [self.turn(request) for request in requests]

    def turn(self, request):
        may_call = not request.banned_ids & self.chat.call_opening_ids()
        wants = may_call and not request.prompt_ids.count(self.chat.end_id) > 2
        ids = self.chat.encode(self.call if wants else self.reply)
        return Response(request.request_id, ids, (0.0,) * len(ids), ended=True)


def load(choice, dialect):
    chat = PlainChat(dialect)
    return Guesser(chat, "<crop> 4 4 8 8", "<answer>red"), chat


def no_pair(choice, dialect):
    return load(choice, dialect)[0]


def no_verbs(choice, dialect):
    return object(), PlainChat(dialect)


ENGINE = EngineSpec(
    name="guesser", summary="always answers red", loader="my_engine:load", packages=("PIL",), loads_checkpoint=False
)
WEAK = EngineSpec(
    name="weak",
    summary="bans no tokens, returns no log-probabilities, takes no video entries",
    loader="my_engine:load",
    loads_checkpoint=False,
    can_ban_tokens=False,
    returns_log_probs=False,
    takes_video_entries=False,
)
FAR = EngineSpec(name="far", summary="elsewhere", loader="my_engine:load", needs_base_url=True, loads_checkpoint=False)
LOCKED = EngineSpec(name="locked", summary="wants a key", loader="my_engine:load", key_variable="MY_ENGINE_KEY")
ABSENT = EngineSpec(name="absent", summary="not installed", loader="my_engine:load", packages=("no_such_package",))
PLANNER = EngineSpec(name="planner", summary="plans its memory", loader="my_engine:load", needs_max_tokens=True)
PLAYER = EngineSpec(
    name="player", summary="knows the answers", loader="my_engine:load", has_model=False, loads_checkpoint=False
)
SINGLE = EngineSpec(name="single", summary="a loader that returns the engine alone", loader="my_engine:no_pair")
MUTE = EngineSpec(name="mute", summary="an engine without verbs", loader="my_engine:no_verbs")
GONE = EngineSpec(name="gone", summary="a loader that is not there", loader="my_engine:nowhere")
NUMBER = 7
'''


@contextmanager
def own_engine(folder, monkeypatch, source=SOURCE):
    """The working folder holds `my_engine.py` inside; afterwards nobody can import it."""
    (folder / "my_engine.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(folder)
    sys.modules.pop("my_engine", None)
    try:
        yield folder
    finally:
        sys.modules.pop("my_engine", None)


@pytest.fixture
def folder_of_engine(tmp_path, monkeypatch):
    """The working folder, which holds the module with the engine."""
    with own_engine(tmp_path, monkeypatch) as folder:
        yield folder

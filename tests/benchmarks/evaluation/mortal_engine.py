"""An engine that dies in the middle of an evaluation, as a process that is killed."""

from agents.engines.scripted import ScriptedEngine


class Killed(BaseException):
    pass


class MortalEngine(ScriptedEngine):
    """Answers one turn a poll, and dies after so many polls: how many a run needs does not depend on threads."""

    def __init__(self, script, chat, polls):
        super().__init__(script, chat)
        self.polls_left = polls

    def poll(self):
        self.polls_left -= 1
        if self.polls_left < 0:
            raise Killed
        requests, self._queue = self._queue[:1], self._queue[1:]
        return self.answers(requests)

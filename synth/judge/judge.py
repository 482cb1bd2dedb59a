"""Judges verified traces: what rules on texts and geometry cannot decide needs eyes.

Each trace is asked about once; replies are stored as they come, so a command that is started again pays for none twice.
Depends on an OpenAI-compatible endpoint with its retries and bounds; independent of plans, files and mixes.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from agents.engines.secret import Secret
from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from pixel_env.errors import MediaError
from synth.judge.question import question_about
from synth.judge.verdict import SCHEMA, verdict_in
from synth.plans.plan import Refusal
from synth.teachers.expert.api_support import ApiSupport
from synth.teachers.expert.cache import ReplyCache
from synth.teachers.expert.chat_request import ChatRequest, teacher_budgets
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.endpoint import Endpoint
from synth.teachers.expert.usage import Usage
from synth.verification.trace_replay import replay_trace

KEY_VARIABLES = ("JUDGE_API_KEY", "OPENAI_API_KEY")
"""Where the judge's key is read from: the first that is set. A judge may be another provider's than the teacher."""
JUDGED_FALSE, NOT_JUDGED = "judged_false", "not_judged"
"""Refusal codes: the judge found an untrue sentence; it gave no verdict, so that the trace is not known to be true."""
_MAX_TOKENS = 4096  # leaves room for the hidden reasoning of a judge that has any
_MAX_PIXELS = ExpertConfig.max_pixels
_FAULTS_IN_A_ROW = 8


class TraceJudge:
    """The judge `model` at `url`, with its replies in `folder`. Raises ConfigError if that cannot be written."""

    def __init__(self, url: str, model: str, concurrency: int, folder: Path) -> None:
        self.model, self.concurrency = model, concurrency
        cache = ReplyCache(folder, whose="the judge's", way_out="Give another --output_dir, or move that file away.")
        config = ExpertConfig(
            model, base_url=url, concurrency=concurrency, temperature=0.0, max_tokens=_MAX_TOKENS, retries=6
        )
        self.usage = Usage(before=cache.totals())
        self._endpoint = Endpoint(
            config,
            cache,
            self.usage,
            secret=Secret.of_environment(*KEY_VARIABLES),
            support=ApiSupport(schema_name="verdict", schema=SCHEMA, may_leave_out_temperature=True),
            flag="--judge",
            model_flag="--judge_model",
            slower="Lower --judge_concurrency, or wait until the quota is renewed.",
        )
        self._budgets = teacher_budgets(_MAX_PIXELS)
        self._faults_in_a_row = 0

    def refusals(self, traces: Sequence[Trace], settings: EpisodeSettings) -> list[Refusal | None]:
        """Of each verified trace why it is dropped, or None. Raises ConfigError if the endpoint serves no request."""
        requests = [
            question_about(trace, replay_trace(trace, settings).trajectory, settings, self._budgets) for trace in traces
        ]
        return asyncio.run(self._refusals(requests))

    async def _refusals(self, requests: Sequence[ChatRequest]) -> list[Refusal | None]:
        async with self._endpoint:
            return list(await asyncio.gather(*map(self._refusal, requests)))

    async def _refusal(self, request: ChatRequest) -> Refusal | None:
        try:
            reply = await self._endpoint.reply_to(request, seed=0)
        except MediaError as error:
            return Refusal(NOT_JUDGED, str(error))
        verdict = None if isinstance(reply, Refusal) or reply.finish_reason == "length" else verdict_in(reply.text)
        if verdict is not None:
            self._faults_in_a_row = 0
            return None if verdict.is_true else Refusal(JUDGED_FALSE, verdict.reason)
        said = reply.message if isinstance(reply, Refusal) else f"no verdict in its reply: {reply.text[:200]!r}"
        self._faults_in_a_row += 1
        if self._faults_in_a_row >= _FAULTS_IN_A_ROW:
            raise self._endpoint.stop(f"{said.rstrip('.')}.", "Without --judge, traces are verified by rules alone.")
        return Refusal(NOT_JUDGED, said, is_final=False)

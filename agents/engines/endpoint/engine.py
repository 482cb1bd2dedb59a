"""Any OpenAI-compatible endpoint as an engine, to play episodes with a hosted model. It returns no log-probabilities.

It uses `PlainChat`, whose ids are the bytes of the conversation, so no tokenizer is needed and messages are recovered
from ids. A video's frames are sent as images whatever the dialect declares: chat completions have no part for a video
that every server knows, and the servers that have one of their own choose its frames and sizes themselves.

Depends on chat messages and httpx; independent of model libraries.
"""

import asyncio
import json
from dataclasses import replace
from typing import Any

from agents.chat.plain import PlainChat
from agents.engines.choice import EngineChoice, check_declares_tools
from agents.engines.endpoint.body import BYTES_PER_TOKEN, most_bytes
from agents.engines.endpoint.connection import Connection, DeadError, RefusedError
from agents.engines.endpoint.messages import has_tool_images, messages_of
from agents.engines.endpoint.reply import Reply, reply_in
from agents.engines.endpoint.support import Support, ToolImages, is_about_context
from agents.engines.endpoint.turns import check_read_back, text_of, with_stop
from agents.engines.protocol import Request, Response
from agents.engines.remote import RemoteEngine
from agents.engines.secret import Secret
from agents.engines.wire import EncodedImages
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import tool_schemas
from pixel_env.errors import ConfigError


def load_endpoint(choice: EngineChoice, dialect: Dialect) -> "tuple[EndpointEngine, PlainChat]":
    """The loader of `--engine endpoint`."""
    assert choice.base_url is not None, "the registry declares that it needs one"
    chat = PlainChat(dialect)
    engine = EndpointEngine(
        choice.model,
        chat,
        base_url=choice.base_url,
        concurrency=choice.max_batch,
        are_calls_native=choice.tool_calls == "native",
        tool_images=choice.tool_images,
    )
    return engine, chat


class EndpointEngine(RemoteEngine):
    """`model` at `base_url` (with its /v1); the key comes from OPENAI_API_KEY unless given, and appears in no message.

    At most `concurrency` requests are in flight; each is repeated up to `retries` times on errors that may pass. One
    attempt takes at most `timeout_s` seconds, up to the last byte of the response. An endpoint that serves no
    request at all (no connection, no access, no such model) raises ConfigError from `poll`. `are_calls_native`: the
    operations are declared as tools and calls are tool calls; the chat's dialect then should not show them in its
    prompt as well. `tool_images`: where the images of a tool's result stand.
    """

    def __init__(
        self,
        model: str,
        chat: PlainChat,
        *,
        base_url: str,
        api_key: str | None = None,
        concurrency: int = 16,
        retries: int = 6,
        timeout_s: float = 600.0,
        are_calls_native: bool = False,
        tool_images: ToolImages = "auto",
    ) -> None:
        if are_calls_native:
            check_declares_tools(chat.dialect)
            check_read_back(chat.dialect)
        self._model, self._base_url, self._chat = model, base_url, chat
        self._secret = Secret.of_environment() if api_key is None else Secret(api_key)
        self._connection = Connection(
            base_url, self._secret, retries=retries, timeout_s=timeout_s, concurrency=concurrency
        )
        self._are_calls_native = are_calls_native
        self._tools = tool_schemas(chat.dialect) if are_calls_native and chat.dialect.offers_calls else []
        self._support = Support(tool_images=tool_images)
        self._has_served = False
        self._images = EncodedImages()
        self._slots = asyncio.Semaphore(concurrency)
        super().__init__("endpoint", redact=self._secret.kept_out_of)

    async def answer(self, request: Request) -> Response:
        """The reply of the endpoint, as `PlainChat`'s ids."""
        if request.banned_ids - self._chat.banned_ids:
            raise ValueError("an endpoint cannot ban tokens. Leave out the policy no_zoom.")
        if self._are_calls_native:
            # A server that stops at the text of a call's end cannot read the call.
            markers = self._chat.dialect.calls.markers
            request = replace(request, stop=tuple(text for text in request.stop if text not in markers))
        async with self._slots:
            reply = await self._reply_to(request)
        if reply is None:
            return Response(request.request_id, (), (), ended=False, out_of_tokens=True)
        return await asyncio.to_thread(self._response, request, reply)

    def close(self) -> None:
        """End everything, its connections and the thread."""
        self.cancel()
        self.begin(self._connection.close()).result(timeout=10)
        super().close()

    async def _reply_to(self, request: Request) -> Reply | None:
        """The endpoint's reply; how it wants to be asked is learned from its refusals, and kept.

        None if the conversation does not fit the model's context. A server refuses a turn that may get longer than the
        rest of its context, too: then the turn is asked for once more, without a limit of its own.
        """
        takes_the_rest = False
        most = most_bytes(request.max_new_tokens)
        known: Support = self._support
        support: Support | None = known
        while support is not None:
            body, shows_tool_images = await asyncio.to_thread(self._body, request, support, takes_the_rest)
            try:
                reply = await self._connection.post(body, reply_in, max_bytes=most)
            except DeadError as error:
                raise ConfigError(f"the endpoint {self._base_url} serves no request: {error}") from None
            except RefusedError as error:
                if is_about_context(error.reason):
                    if takes_the_rest:
                        return None
                    takes_the_rest = True
                    continue
                refused, support = error, support.after_refusal(error.reason, has_tool_images=shows_tool_images)
                continue
            # Other requests may have learned more meanwhile: only what this one learned is kept.
            self._has_served = True
            self._support = (self._support if support == known else support).after_reply(reply)
            return reply
        if self._tools and not self._has_served and "tool" in refused.reason.lower():
            raise ConfigError(
                f"the endpoint {self._base_url} takes no tools: {refused} Start it so that it does (vllm serve: "
                "--enable-auto-tool-choice --tool-call-parser PARSER), or leave out --tool_calls native."
            )
        raise refused

    def _body(self, request: Request, support: Support, takes_the_rest: bool) -> tuple[bytes, bool]:
        """The request as JSON, and whether it has images in tool messages."""
        messages = messages_of(
            request.prompt_ids,
            request.images,
            self._chat,
            lambda image: self._images.named(image)[1],
            support=support,
            are_calls_native=self._are_calls_native,
        )
        body: dict[str, Any] = {"model": self._model, "messages": messages}
        body |= support.fields(request, takes_the_rest=takes_the_rest)
        if self._tools:
            body["tools"] = self._tools
        return json.dumps(body).encode(), has_tool_images(messages)

    def _response(self, request: Request, reply: Reply) -> Response:
        syntax = self._chat.dialect.calls
        reply = with_stop(reply, request.stop, syntax)
        ids = self._chat.encode(self._secret.kept_out_of_reply(text_of(reply, syntax)))
        most = request.max_new_tokens * BYTES_PER_TOKEN
        ended = reply.ended and len(ids) <= most + 1
        kept = ids if ended else ids[:-1][:most]
        return Response(request.request_id, kept, (0.0,) * len(kept), ended=ended)

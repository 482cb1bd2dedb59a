"""vLLM inside this process, driven step by step, so that a trajectory continues as soon as its operation is done.

Depends on vLLM's `LLM`, and on `Chat` for token ids and images; independent of trainers, which hand over new weights.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from agents.chat.chat import Chat
from agents.chat.content_id import Frames, content_ids
from agents.chat.video_entry import SECONDS_PER_STEP
from agents.engines.protocol import Request, Response
from agents.engines.wire import FORBIDDEN, WORKER_EXTENSION, collapsed, images_at_most, truncation_parameters
from pixel_env.errors import ConfigError, MissingExtraError


class VLLMEngine:
    """An `LLM` of vLLM as an engine: one step of its scheduler a poll, continuous batching in between.

    `llm`: made by `load_vllm`. Images are processed in a thread of their own, beside generation.
    """

    static = False

    def __init__(self, llm: Any, chat: Chat) -> None:
        self._llm = llm
        self._chat = chat
        # One thread, and what it makes is taken in its order: vLLM's two image caches have to see the same sequence.
        self._renderer = ThreadPoolExecutor(1, thread_name_prefix="render")
        self._rendering: deque[tuple[Request, Future[Any]]] = deque()
        self._under_way: dict[str, Request] = {}
        self._refused: list[Response] = []

    @property
    def in_flight(self) -> int:
        """Requests that are being prepared or generated, and refusals that no poll has returned yet."""
        return len(self._rendering) + len(self._under_way) + len(self._refused)

    def submit(self, request: Request) -> None:
        """Have `request` prepared for vLLM's scheduler."""
        self._rendering.append((request, self._renderer.submit(self._rendered, request)))

    def cancel(self) -> None:
        """Abort what vLLM works on."""
        while self._rendering:  # also cancelled requests: see the order of the caches
            self._admit()
        self._llm.llm_engine.abort_request(list(self._under_way))
        self._under_way.clear()
        self._refused.clear()

    def poll(self) -> list[Response]:
        """One step of vLLM's scheduler; the turns that it finished."""
        while self._rendering and (self._rendering[0][1].done() or not self._under_way):
            self._admit()
        responses, self._refused = self._refused, []
        if not self._under_way:
            return responses
        finished = [o for o in self._llm.llm_engine.step() if o.finished and o.request_id in self._under_way]
        return responses + [self._response(output) for output in finished]

    def _rendered(self, request: Request) -> Any:
        [rendered] = self._llm.renderer.render_cmpl([self._prompt(request)])
        return rendered

    def _admit(self) -> None:
        """Hand the oldest prepared request to vLLM's scheduler."""
        request, rendered = self._rendering.popleft()
        try:
            self._llm.llm_engine.add_request(str(request.request_id), rendered.result(), self._sampling(request))
        except Exception as error:  # a prompt that vLLM cannot take: too long, too many images; the others continue
            self._refused.append(Response(request.request_id, (), (), ended=True, error=str(error)))
        else:
            self._under_way[str(request.request_id)] = request

    def load_weights(self, weights: Iterator[tuple[str, torch.Tensor]]) -> None:
        """Loads new weights, name by name, and clears every cache that was computed with the old ones.

        Names are those of the model's class in transformers. Raises RuntimeError while turns are being generated.
        """
        if self.in_flight:
            raise RuntimeError(f"{self.in_flight} turns are being generated. Change weights between rollouts only.")
        self._llm.collective_rpc("renew_weights", kwargs={"weights_iterator": weights})
        self._llm.reset_prefix_cache()
        self._llm.llm_engine.reset_encoder_cache()  # embeddings are kept by the image's hash, whatever the weights

    def sleep(self) -> None:
        """Releases the accelerator's memory between rollouts; weights are kept in host memory."""
        self._llm.sleep(level=1)

    def wake_up(self) -> None:
        """Allocates the memory again."""
        self._llm.wake_up()

    def _prompt(self, request: Request) -> dict[str, Any]:
        ids = collapsed(collapsed(request.prompt_ids, self._chat.image_id), self._chat.video_id)
        prompt: dict[str, Any] = {"prompt_token_ids": ids}
        data: dict[str, list[Any]] = {}
        uuids: dict[str, list[str]] = {}
        if request.still_images:
            data["image"] = [Image.fromarray(image) for image in request.still_images]
            uuids["image"] = content_ids(request.still_images)
        if request.videos:
            data["video"] = [_video(frames, self._chat.frames_per_step) for frames in request.videos]
            uuids["video"] = content_ids(request.videos)
            # Frames have their shown size: the processor's own limits for videos are others.
            prompt["mm_processor_kwargs"] = {"do_resize": False, "do_sample_frames": False}
        return prompt | ({"multi_modal_data": data, "multi_modal_uuids": uuids} if data else {})

    def _sampling(self, request: Request) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=request.temperature,
            **truncation_parameters(request),
            max_tokens=request.max_new_tokens,
            seed=request.seed % 2**63,
            logit_bias=dict.fromkeys(request.banned_ids, FORBIDDEN),
            logprobs=0,  # of the sampled token alone
            stop_token_ids=[self._chat.end_id],
            ignore_eos=True,  # the chat format says what ends a turn
            stop=list(request.stop),
            include_stop_str_in_output=True,
            detokenize=bool(request.stop),  # stop texts are searched in the text
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _response(self, output: Any) -> Response:
        request = self._under_way.pop(output.request_id)
        completion = output.outputs[0]
        ids = tuple(completion.token_ids)
        if tuple(output.prompt_token_ids) != request.prompt_ids:
            error = (
                f"vLLM expanded a prompt of {len(request.prompt_ids)} tokens to {len(output.prompt_token_ids)}: its "
                "image processor differs from ours. Save the processor into the checkpoint's folder."
            )
            return Response(request.request_id, (), (), ended=True, error=error)
        logprobs = tuple(float(row[id].logprob) for row, id in zip(completion.logprobs, ids, strict=True))
        ended = bool(ids) and (ids[-1] == self._chat.end_id or completion.finish_reason == "stop")
        return Response(request.request_id, ids, logprobs, ended=ended)


def _video(frames: Frames, frames_per_step: int) -> tuple[np.ndarray, dict[str, Any]]:
    """The frames as vLLM takes a decoded video: all of them, at the frame rate of the trainer's positions."""
    frames_per_s = frames_per_step / SECONDS_PER_STEP
    facts = {"fps": frames_per_s, "duration": len(frames) / frames_per_s, "total_num_frames": len(frames)}
    return np.stack(frames), facts | {"frames_indices": list(range(len(frames))), "do_sample_frames": False}


def _on_a_cpu() -> dict[str, Any]:
    """vLLM's options on a CPU: its own defaults assume a machine that runs nothing else."""
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # bound threads compete with the trainer's
    # Compiling takes longer than a small model generates. With chunked prefill vLLM 0.31 rewinds the request's random
    # generator, which is not possible on a CPU.
    return {"enforce_eager": True, "enable_chunked_prefill": False}


def load_vllm(
    folder: str | Path, *, dtype: str, max_model_len: int, max_images: int, video_entry: bool = False, **options: Any
) -> Any:
    """vLLM's `LLM` of a checkpoint folder or hub id; `options` are its own (`gpu_memory_utilization`, ...).

    `video_entry`: of the dialect; plans for a prompt that holds one video beside the images.
    Raises MissingExtraError without vLLM, ConfigError if it was imported before with its engine in another process.
    """
    # Weights come as an iterator of this process's tensors, so the engine must live here; read when vLLM is imported.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    if not torch.cuda.is_available():
        options = _on_a_cpu() | options
    try:
        import vllm
    except ModuleNotFoundError as error:
        raise MissingExtraError.needs("generation with vLLM", "vllm") from error
    if vllm.envs.VLLM_ENABLE_V1_MULTIPROCESSING:
        raise ConfigError(
            "VLLM_ENABLE_V1_MULTIPROCESSING is 1. Set it to 0: the weights are passed within this process."
        )
    return vllm.LLM(
        model=str(folder),
        dtype=dtype,
        max_model_len=max_model_len,
        limit_mm_per_prompt={"image": images_at_most(max_images)} | ({"video": 1} if video_entry else {}),
        logprobs_mode="processed_logprobs",
        enable_prefix_caching=True,
        worker_extension_cls=WORKER_EXTENSION,
        **options,
    )

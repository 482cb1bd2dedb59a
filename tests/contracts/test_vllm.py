"""The seams of vLLM that the engines build on. A vLLM that moves one of them fails here, not in a wrong rollout."""

import ast
import inspect
import textwrap

import pytest

pytest.importorskip("vllm")


def parameters(function):
    return list(inspect.signature(inspect.unwrap(function)).parameters)


def source_of(name):
    module = __import__(f"vllm.{name}", fromlist=["_"])
    return ast.parse(inspect.getsource(module))


def test_a_prompt_is_rendered_apart_from_being_admitted():
    from vllm.renderers.base import BaseRenderer
    from vllm.v1.engine.llm_engine import LLMEngine

    assert parameters(BaseRenderer.render_cmpl)[:2] == ["self", "prompts"]
    assert parameters(LLMEngine.add_request)[:4] == ["self", "request_id", "prompt", "params"]
    assert parameters(LLMEngine.step) == ["self"]
    assert parameters(LLMEngine.abort_request)[:2] == ["self", "request_ids"]


def test_weights_are_reloaded_from_an_iterator_or_a_folder_and_caches_are_reset_by_name():
    from vllm import LLM
    from vllm.v1.engine.llm_engine import LLMEngine
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner
    from vllm.v1.worker.gpu_worker import Worker

    assert {"weights_iterator", "weights_path"} <= set(parameters(GPUModelRunner.reload_weights))
    assert callable(Worker.reload_weights)
    assert parameters(LLM.collective_rpc)[:2] == ["self", "method"] and "kwargs" in parameters(LLM.collective_rpc)
    assert callable(LLM.reset_prefix_cache) and parameters(LLMEngine.reset_encoder_cache) == ["self"]


def test_a_head_that_is_packed_for_a_cpu_is_packed_again_by_its_method():
    from vllm.model_executor.layers.vocab_parallel_embedding import UnquantizedEmbeddingMethod

    assert parameters(UnquantizedEmbeddingMethod.process_weights_after_loading) == ["self", "layer"]
    layers = textwrap.dedent(inspect.getsource(__import__("vllm.model_executor.layers.utils", fromlist=["_"])))
    assert "layer.cpu_linear" in layers


def test_the_server_takes_token_ids_and_pictures_and_gives_token_ids_and_log_probabilities():
    from vllm.entrypoints.scale_out.token_in_token_out.protocol import GenerateRequest, GenerateResponse

    assert {"token_ids", "content_parts", "sampling_params", "return_token_ids"} <= set(GenerateRequest.model_fields)
    assert {"choices", "prompt_token_ids"} <= set(GenerateResponse.model_fields)
    [choice] = GenerateResponse.model_fields["choices"].annotation.__args__
    assert {"token_ids", "logprobs", "finish_reason"} <= set(choice.model_fields)


def test_the_server_has_the_paths_that_the_client_calls():
    router = source_of("entrypoints.scale_out.token_in_token_out.api_router")
    paths = {node.value for node in ast.walk(router) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert "/inference/v1/generate" in paths


def test_sampling_options_are_those_that_requests_set():
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    wanted = {"temperature", "max_tokens", "seed", "logit_bias", "logprobs", "stop_token_ids", "ignore_eos"}
    assert wanted | {"detokenize", "output_kind"} <= set(SamplingParams.__struct_fields__)
    assert RequestOutputKind.FINAL_ONLY

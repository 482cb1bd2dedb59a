"""Real vLLM in this process on a video entry: its tokens are those of transformers."""

import pytest

from tests.agents.chat.test_video_entry import BOUND, mixed_tasks, played, requests_of
from tests.agents.random_qwen import RELEASED, make_model, make_processor

pytest.importorskip("vllm")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random-qwen2.5-vl")
    processor = make_processor()
    make_model(processor).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


# Of the session: an engine that ends takes the process groups of every other one in this process with it.
@pytest.fixture(scope="session")
def engines(folder):
    from agents.engines.load import load_engine, load_vllm_engine

    sizes = {"max_model_len": 512, "max_images": 4, "max_num_seqs": 8}
    ours, chat = load_engine(str(folder), RELEASED, dtype="float32", max_batch=8)
    return ours, load_vllm_engine(str(folder), RELEASED, dtype="float32", **sizes)[0], chat


def test_greedy_turns_about_videos_images_and_texts_are_those_of_transformers(engines):
    ours, vllm, chat = engines
    for request in requests_of(chat):
        ours.submit(request)
        vllm.submit(request)
    expected = ours.poll()
    found = []
    while vllm.in_flight:
        found += vllm.poll()
    found.sort(key=lambda response: response.request_id)
    for one, other in zip(found, expected, strict=True):
        assert (one.token_ids, one.ended, one.error) == (other.token_ids, other.ended, None)
        assert one.logprobs == pytest.approx(other.logprobs, abs=BOUND)


def test_whole_episodes_about_videos_images_and_texts_are_those_of_transformers(engines):
    ours, vllm, chat = engines
    expected, found = (played(engine, chat, mixed_tasks(), temperature=0.0) for engine in (ours, vllm))
    for one, other in zip(found, expected, strict=True):
        assert one.trajectory.error is None and any(one.sampled)
        assert one.completion_ids == other.completion_ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=BOUND)

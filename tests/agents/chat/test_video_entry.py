"""A video as one entry of the prompt, as the released checkpoints were taught: ids, features, engines and training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.chat.chat import Chat
from agents.chat.plain import PlainChat
from agents.chat.video_positions import token_positions
from agents.engines.endpoint import messages_of
from agents.engines.protocol import Request
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.engines.served.engine import ServerEngine
from agents.engines.transformers import TransformersEngine
from agents.grpo.forward_passes import forward_passes
from agents.grpo.tower_features import TowerFeatures
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.sft.collator import TraceCollator
from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.testing import tiny_task, tiny_video_task
from pixel_env.types import Limits, Prompt, Stop
from tests.agents.random_qwen import RELEASED, make_model, make_processor

SETTINGS = EpisodeSettings(RELEASED, Limits(max_turns=3), RELEASED.budgets)
SELECTED = write(SelectFrames((2, 4)), RELEASED)
CROPPED = write(CropImage(0, Box(0.0, 0.0, 0.9, 0.9)), RELEASED)
BOUND = 1e-4
"""Of log-probabilities in float32 on a CPU."""


@pytest.fixture(scope="module")
def chat():
    return Chat(make_processor(), RELEASED)


@pytest.fixture(scope="module")
def model(chat):
    return make_model(chat.processor)


def pictures(count, width=32, height=48, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def mixed_tasks():
    """A video of 16 frames, a text, an image, a video of an odd number of frames."""
    odd = replace(tiny_video_task(5), task_id="odd", question="which digit")
    return [tiny_video_task(), tiny_task("text", sources=(), evidence=(), media="text"), tiny_task("image"), odd]


def first_turns(task):
    """Looks once, where there is something to look at, so that images follow a video."""
    return {"video": [SELECTED], "image": [CROPPED], "text": []}[task.media]


def played(engine, chat, tasks, temperature=1.0, turns=3):
    settings = replace(SETTINGS, limits=Limits(max_turns=turns))
    sampling = Sampling(temperature, 6)
    return rollout(tasks, engine, chat, settings=settings, sampling=sampling, seed=3, forced=first_turns)


# --------------------------------------------------------------------------------------------- prompts and pixels


@pytest.mark.parametrize("frames", [16, 5, 1])
def test_a_video_opens_the_prompt_as_the_processor_itself_writes_it(chat, frames):
    video, crop = pictures(frames), pictures(1, 64, 32)[0]
    reply = "\nHere is the cropped image (Image Size: 64x32):"
    ids = chat.open(Prompt("Be brief.", "which digit"), video, video_frames=frames)
    ids += chat.encode("look") + chat.reply(reply, [crop], ended=True)
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "which digit"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "look"}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": reply}]},
    ]
    text = chat.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    theirs = chat.processor(text=[text], videos=[np.stack(video)], images=[crop], do_resize=False, return_tensors="pt")
    assert list(ids) == theirs["input_ids"][0].tolist()
    assert ids.count(chat.video_id) == -(-frames // 2) * 2 * 3 and ids.count(chat.image_id) == 4 * 2
    ours = chat.features([crop], [tuple(video)])
    for name in ("pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"):
        assert torch.equal(ours[name], theirs[name])
    types = chat.mm_token_type_ids(torch.tensor([ids]))
    assert types.tolist() == theirs["mm_token_type_ids"].tolist()


def test_a_video_is_counted_as_half_its_frames(chat):
    sizes = [(32, 48)] * 16
    counted = chat.count_tokens("which digit", sizes, video_frames=16)
    assert counted - chat.count_tokens("which digit", []) == 8 * 2 * 3 + 2  # and the marks around it
    engine = ScriptedEngine(in_turn("7"), chat)
    task = tiny_video_task()
    [whole] = rollout([task], engine, chat, settings=SETTINGS, sampling=Sampling(0.0, 8), seed=0)
    fits = replace(SETTINGS, limits=Limits(max_tokens=len(whole.prompt_ids) + 12))
    as_images = replace(fits, dialect=replace(RELEASED, video_entry=False))
    for settings, stop in ((fits, Stop.ANSWERED), (as_images, Stop.FAILED)):
        own = Chat(chat.processor, settings.dialect)
        [one] = rollout([task], ScriptedEngine(in_turn("7"), own), own, settings=settings, sampling=Sampling(), seed=0)
        assert one.trajectory.stop is stop


def test_frames_of_different_sizes_are_no_video_entry(chat):
    with pytest.raises(TaskError, match=r"\(32, 48\), \(48, 32\).*':frames'"):
        chat.open(Prompt("", "x"), [*pictures(1), *pictures(1, 48, 32)], video_frames=2)


def test_a_processor_that_writes_times_between_frames_is_refused_where_a_video_comes(tiny_processor):
    chat = Chat(tiny_processor, RELEASED)
    assert chat.open(Prompt("", "x"), pictures(1)).count(chat.image_id) == 6
    with pytest.raises(ConfigError, match=r"Qwen3VLProcessor.*seconds.*':frames'"):
        chat.open(Prompt("", "x"), pictures(4), video_frames=4)
    with pytest.raises(ConfigError, match="':frames'"):
        played(ScriptedEngine(in_turn("7"), chat), chat, [tiny_video_task()])


def test_the_variant_frames_shows_a_video_as_images_in_any_format(tiny_processor):
    dialect = dialect_named("released:vcot:frames")
    assert not dialect.video_entry and dialect_named("released:vcot").video_entry
    chat = Chat(tiny_processor, replace(RELEASED, video_entry=dialect.video_entry))
    [one] = played(ScriptedEngine(in_turn("7"), chat), chat, [tiny_video_task()])
    assert (one.video_frames, one.trajectory.stop) == (0, Stop.ANSWERED)
    starts = chat.processor.tokenizer.convert_tokens_to_ids("<|vision_start|>")
    assert one.prompt_ids.count(starts) == 16 and chat.video_id not in one.prompt_ids


# ------------------------------------------------------------------------------------------------------- engines


def requests_of(chat):
    """A text, an image, two videos (one of an odd number of frames) and a video with a crop behind it."""
    video, odd, image, crop = pictures(4, seed=1), pictures(5, seed=2), pictures(1, seed=3), pictures(1, 16, 64, seed=4)
    later = chat.open(Prompt("", "red"), video, video_frames=4) + chat.encode("hm") + chat.reply("x", crop, ended=True)
    prompts = [
        (chat.open(Prompt("", "which digit"), []), [], 0),
        (chat.open(Prompt("", "red card"), image), image, 0),
        (chat.open(Prompt("", "which digit"), video, video_frames=4), video, 4),
        (chat.open(Prompt("", "is on the red card"), odd, video_frames=5), odd, 5),
        (later, [*video, *crop], 4),
    ]
    return [
        Request(number, ids, tuple(images), 8, 0.0, 0, chat.banned_ids, frames)
        for number, (ids, images, frames) in enumerate(prompts)
    ]


def test_greedy_turns_of_a_batch_of_videos_images_and_texts_equal_generate(chat, model):
    engine = TransformersEngine(model, chat)
    expected = []
    # Where a video has more steps than its sides have tokens, `generate` places what follows inside of it.
    for request in [request for request in requests_of(chat) if request.video_frames < 5]:
        engine.submit(request)
        ids = torch.tensor([request.prompt_ids])
        inputs = {"input_ids": ids, "mm_token_type_ids": chat.mm_token_type_ids(ids)}
        inputs |= chat.features(request.still_images, request.videos)
        banned = sorted(chat.banned_ids)
        out = model.generate(**inputs, max_new_tokens=8, do_sample=False, suppress_tokens=banned)
        expected.append(tuple(out[0, ids.shape[1] :].tolist()))
    assert [response.token_ids for response in engine.poll()] == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("frames", [2, 16])
def test_the_text_after_a_video_stands_past_its_last_moment(chat, model, frames):
    ids = torch.tensor([chat.open(Prompt("", "x"), pictures(frames, 32, 32), video_frames=frames)])
    grids = chat.features([], [tuple(pictures(frames, 32, 32))])["video_grid_thw"]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "video_grid_thw": grids}
    places = token_positions(model, inputs | {"mm_token_type_ids": chat.mm_token_type_ids(ids)})[:, 0]
    video = places[:, ids[0] == chat.video_id]
    first = int(video.min())
    assert video[0].tolist() == [first + 2 * step for step in range(frames // 2) for _ in range(4)]  # 2 a second
    after = places[:, int((ids[0] == chat.video_id).nonzero()[-1]) + 1 :]
    start = first + max(2, frames - 1)
    assert after.tolist() == [list(range(start, start + after.shape[1]))] * 3


def test_the_order_of_the_frames_counts(chat, model):
    request = requests_of(chat)[2]
    engine = TransformersEngine(model, chat)
    engine.submit(request)
    engine.submit(replace(request, request_id=9, images=request.images[::-1]))
    first, second = engine.poll()
    assert first.logprobs != second.logprobs


def test_a_request_whose_video_does_not_fit_its_placeholders_fails_alone(chat, model):
    request = requests_of(chat)[2]
    engine = TransformersEngine(model, chat)
    engine.submit(replace(request, video_frames=0))
    engine.submit(replace(request, request_id=9))
    refused, answered = engine.poll()
    assert "12 video placeholders for 0 video tokens" in refused.error and answered.error is None


def test_an_episode_shows_its_video_once_and_selected_frames_as_images(chat, model):
    [one] = played(TransformersEngine(model, chat), chat, [tiny_video_task()])
    assert one.video_frames == 16 and len(one.views) == 18
    assert chat.video_id in one.prompt_ids and chat.image_id not in one.prompt_ids
    assert chat.image_id in one.completion_ids and chat.video_id not in one.completion_ids
    assert "Numbered 17 to 18" in one.trajectory.turns[0].observation


def test_servers_refuse_a_video_entry_and_say_the_way_out(chat):
    engine = ServerEngine(["http://127.0.0.1:9"], image_id=chat.image_id, end_id=chat.end_id)
    try:
        with pytest.raises(ConfigError, match=r"'colocate'.*':frames'"):
            engine.submit(requests_of(chat)[2])
    finally:
        engine.close()


def test_endpoints_are_sent_the_frames_as_images():
    chat = PlainChat(RELEASED)
    sent = []

    def script(conversation):
        request = conversation.request
        sent.append(messages_of(request.prompt_ids, request.images, chat))
        return "7"

    played(ScriptedEngine(script, chat), chat, [tiny_video_task()])
    kinds = [[part["type"] for part in turn["content"]] for turn in sent[0] if turn["role"] == "user"]
    assert kinds == [["image_url"] * 16 + ["text"], ["text"] + ["image_url"] * 2]


# ------------------------------------------------------------------------------------------------------ training


def scored(chat, model, rollouts, *, sharded=False):
    """Every row's log-probabilities of its completion, as the trainer's forward passes give them."""
    width = max(len(one.prompt_ids) for one in rollouts)
    length = max(len(one.completion_ids) for one in rollouts)
    ids = torch.full((len(rollouts), width + length), chat.pad_id)
    for row, one in enumerate(rollouts):
        ids[row, width - len(one.prompt_ids) : width] = torch.tensor(one.prompt_ids)
        ids[row, width : width + len(one.completion_ids)] = torch.tensor(one.completion_ids)
    passes = forward_passes(
        rollouts, ids, length, batch_size=3, chat=chat, tower=tower(chat), processes=1, sharded=sharded
    )
    results = torch.zeros(len(rollouts) * length)
    for one in passes:
        with torch.no_grad(), one.given(model):
            logits = model(input_ids=one.input_ids, attention_mask=one.attention_mask).logits
        logits[..., sorted(chat.banned_ids)] = -torch.inf
        results[one.places] = logits[one.predicted_at].log_softmax(-1).gather(1, one.targets[:, None]).squeeze(1)
    assert not model._forward_pre_hooks and "get_image_features" not in vars(model.model)
    rows = results.view(len(rollouts), length)
    return [rows[row, : len(one.completion_ids)].tolist() for row, one in enumerate(rollouts)]


def tower(chat):
    return TowerFeatures(chat, RELEASED.budgets)


def furthest(rollouts, logps):
    return max(
        abs(sampled - scored)
        for one, row in zip(rollouts, logps, strict=True)
        for said, sampled, scored in zip(one.sampled, one.logprobs, row, strict=True)
        if said
    )


@pytest.mark.parametrize("sharded", [False, True])
def test_what_is_sampled_about_videos_images_and_texts_is_what_is_scored(chat, model, sharded):
    rollouts = played(TransformersEngine(model, chat), chat, mixed_tasks() * 2)
    assert all(any(one.sampled) and one.trajectory.error is None for one in rollouts)
    assert furthest(rollouts, scored(chat, model, rollouts, sharded=sharded)) < BOUND


def test_another_video_is_scored_otherwise(chat, model):
    [one] = played(TransformersEngine(model, chat), chat, [tiny_video_task()])
    backwards = replace(one, views=(*one.views[15::-1], *one.views[16:]))
    assert furthest([one], scored(chat, model, [backwards])) > BOUND


def test_where_processes_share_the_model_every_pass_reads_an_image_and_a_video(chat, model):
    rollouts = played(TransformersEngine(model, chat), chat, mixed_tasks(), turns=1)
    for one in rollouts:
        ids = torch.tensor([[*one.prompt_ids, *one.completion_ids]])
        options = {"chat": chat, "tower": tower(chat), "processes": 2, "sharded": True}
        [single] = forward_passes([one], ids, len(one.completion_ids), batch_size=None, **options)
        assert len(single.images.missing_grids) > 0 and len(single.images.order) == len(single.images.grids)
        assert len(single.videos.missing_grids) == 1


def test_traces_about_a_video_an_image_and_a_text_train_in_one_batch(chat, model):
    turns = {"video": [SELECTED, "7"], "image": [CROPPED, "7"], "text": ["7"]}
    traces = [Trace(task, tuple(TraceTurn(text) for text in turns[task.media])) for task in mixed_tasks()]
    collator = TraceCollator(chat, SETTINGS, traces)
    batch = collator.batch(traces)
    assert batch["video_grid_thw"][:, 0].tolist() == [8, 3] and len(batch["image_grid_thw"]) == 2 + 2 + 2
    assert (batch["mm_token_type_ids"] == 2).any(1).tolist() == [True, False, False, True]
    assert not torch.isin(batch["labels"], torch.tensor([chat.video_id, chat.image_id])).any()
    with torch.no_grad():
        together = model(**batch).logits
        for row, trace in enumerate(traces):
            logits = model(**collator.batch([trace])).logits[0]
            assert torch.allclose(together[row, : len(logits)], logits, atol=BOUND)

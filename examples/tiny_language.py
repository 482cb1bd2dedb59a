"""Stage 2 of the tiny model: a language model on top of the taught tower.

Conversations about scenes, several questions on the same pictures: listing the cards teaches places, questions on
crops full of cards teach reading. The tower goes on being taught by its dense labels.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from tiny_vision import BUDGETS, Heads, Labels, crop_like, joined, labels_of, make_optimizers, make_schedules
from torch import nn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm
from transformers import Qwen3VLForConditionalGeneration

from agents.chat.chat import Chat
from pixel_env.actions import write
from pixel_env.boxes import FULL, Box
from pixel_env.media.showing import show
from pixel_env.operations.crop_image import CropImage
from pixel_env.samples import LAYOUTS, digit_question, half_answer, half_question
from pixel_env.samples.scenes import Card, Scene, SceneSource, Split, draw_scene
from pixel_env.types import Answer, Prompt
from pixel_env.views import View, ViewKind
from synth.warm_starts.lessons import LIST_QUESTION, any_window, list_answer, near_window, where_answer, where_question

BATCH = 32
IGNORED = -100
DENSE_WEIGHT = 0.25
"""Weight of the tower's dense labels beside the loss on text."""


@dataclass
class Conversation:
    """Token ids, their labels, and the pictures with their dense labels."""

    chat: Chat
    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    dense: list[Labels] = field(default_factory=list)

    def ask(self, question: str, *shown: tuple[Scene, Box, ViewKind]) -> None:
        """A user turn with pictures."""
        images = [show(View(SceneSource(scene), kind, box), BUDGETS) for scene, box, kind in shown]
        for (scene, box, kind), image in zip(shown, images, strict=True):
            self.dense.append(labels_of(scene, image.shape[0], box, readable=kind is ViewKind.CROP))
        first = not self.ids
        ids = self.chat.open(Prompt("", question), images) if first else self.chat.reply(question, images, ended=True)
        self._glue(ids, trained=False)
        self.images += images

    def say(self, text: str, *, trained: bool = True) -> None:
        """An assistant turn."""
        self._glue(self.chat.encode(text), trained=trained)

    def answer(self, text: str) -> None:
        """An assistant turn that answers."""
        self.say(write(Answer(text), self.chat.dialect))

    def look(self, scene: Scene, window: Box) -> None:
        """An assistant turn that calls, never trained, and the crop that it fetches."""
        self.say(write(CropImage(0, window), self.chat.dialect), trained=False)
        self.ask("", (scene, window, ViewKind.CROP))

    def _glue(self, ids: tuple[int, ...], *, trained: bool) -> None:
        self.ids += ids
        self.labels += ids if trained else [IGNORED] * len(ids)


# ------------------------------------------------------------------------------------------------ kinds of conversation

Kind = Callable[[np.random.Generator, Split, Chat], Conversation]


def _scene(rng: np.random.Generator, split: Split) -> tuple[Scene, list[Card]]:
    layout = LAYOUTS["vstar-tiny"]
    scene = draw_scene(rng, split, window_side=layout.window_side, cards=layout.cards)
    return scene, [scene.cards[int(place)] for place in rng.permutation(len(scene.cards))]


def listing(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """All cards with their places."""
    scene, _ = _scene(rng, split)
    conversation = Conversation(chat)
    conversation.ask(LIST_QUESTION, (scene, FULL, ViewKind.ORIGINAL))
    conversation.answer(list_answer(scene))
    return conversation


def where(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """The right window of one card, then where or half of others."""
    scene, cards = _scene(rng, split)
    conversation = Conversation(chat)
    conversation.ask(where_question(cards[0].colour), (scene, FULL, ViewKind.ORIGINAL))
    conversation.answer(where_answer(scene, cards[0]))
    if split == "train":
        _more(conversation, rng, scene, cards[1:])
    return conversation


def half(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """The half of one card, then where or half of others."""
    scene, cards = _scene(rng, split)
    conversation = Conversation(chat)
    conversation.ask(half_question(cards[0].colour), (scene, FULL, ViewKind.ORIGINAL))
    conversation.answer(half_answer(scene, cards[0]))
    if split == "train":
        _more(conversation, rng, scene, cards[1:])
    return conversation


def _more(conversation: Conversation, rng: np.random.Generator, scene: Scene, cards: list[Card]) -> None:
    for card in cards:
        if rng.random() < 0.5:
            conversation.ask(half_question(card.colour))
            conversation.answer(half_answer(scene, card))
        else:
            conversation.ask(where_question(card.colour))
            conversation.answer(where_answer(scene, card))


def half_after_look(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """The half of a card after a look somewhere."""
    scene, cards = _scene(rng, split)
    conversation = Conversation(chat)
    conversation.ask(half_question(cards[0].colour), (scene, FULL, ViewKind.ORIGINAL))
    conversation.look(scene, any_window(rng))
    conversation.answer(half_answer(scene, cards[0]))
    return conversation


def digit_after_look(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """The digit of a card after a look that holds it."""
    scene, cards = _scene(rng, split)
    conversation = Conversation(chat)
    conversation.ask(digit_question(cards[0].colour), (scene, FULL, ViewKind.ORIGINAL))
    conversation.look(scene, near_window(scene, cards[0], rng))
    conversation.answer(str(cards[0].digit))
    return conversation


def digits_in_crop(rng: np.random.Generator, split: Split, chat: Chat) -> Conversation:
    """The digit of each card of a crop full of cards, one question after the other."""
    while True:
        scene = crop_like(rng, split)
        counts = {
            colour: sum(card.colour == colour for card in scene.cards) for colour in {c.colour for c in scene.cards}
        }
        cards = [card for card in scene.cards if counts[card.colour] == 1]
        if cards:
            break
    conversation = Conversation(chat)
    pictures = [(scene, FULL, ViewKind.CROP)]
    for place in rng.permutation(len(cards))[: len(cards) if split == "train" else 1]:
        conversation.ask(digit_question(cards[int(place)].colour), *pictures)
        conversation.answer(str(cards[int(place)].digit))
        pictures = []
    return conversation


KINDS: dict[str, tuple[float, Kind]] = {
    "list": (0.24, listing),
    "where": (0.14, where),
    "half": (0.08, half),
    "half_after_look": (0.08, half_after_look),
    "digits_in_crop": (0.26, digits_in_crop),
    "digit_after_look": (0.20, digit_after_look),
}
"""Kind: (share of the conversations, how one is made)."""


class Conversations(IterableDataset):
    """An endless stream of batches."""

    def __init__(self, chat: Chat, seed: int) -> None:
        self.chat, self.seed = chat, seed

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        torch.set_num_threads(1)
        rng = np.random.default_rng([self.seed, 2])
        shares = [share for share, _ in KINDS.values()]
        makers = [maker for _, maker in KINDS.values()]
        while True:
            chosen = [makers[int(kind)] for kind in rng.choice(len(makers), BATCH, p=shares)]
            yield batch_of([make(rng, "train", self.chat) for make in chosen])


def batch_of(conversations: list[Conversation]) -> dict[str, torch.Tensor]:
    """The conversations padded on the right, with features and dense labels."""
    chat = conversations[0].chat
    longest = max(len(c.ids) for c in conversations)
    ids = torch.tensor([c.ids + [chat.pad_id] * (longest - len(c.ids)) for c in conversations])
    labels = torch.tensor([c.labels + [IGNORED] * (longest - len(c.ids)) for c in conversations])
    mask = torch.tensor([[1] * len(c.ids) + [0] * (longest - len(c.ids)) for c in conversations])
    dense = [labels for c in conversations for labels in c.dense]
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "mm_token_type_ids": chat.mm_token_type_ids(ids),
        **chat.features([image for c in conversations for image in c.images]),
        **{name: joined([getattr(label, name) for label in dense]) for name in ("colour", "digit", "x", "y")},
    }


# ------------------------------------------------------------------------------------------------------- training


def teach_language(
    model: Qwen3VLForConditionalGeneration,
    heads: Heads,
    chat: Chat,
    *,
    steps: int,
    seed: int,
    learning_rate: float,
    log: Callable[[str], None],
    save: Callable[[int], None],
) -> None:
    """Train model and tower in place; held-out accuracies go to `log` every 300 steps."""
    # The tower sees already: it is moved at a third of the pace.
    optimizers = [
        *make_optimizers([model.model.language_model], learning_rate),
        *make_optimizers([model.model.visual, heads], learning_rate / 3),
    ]
    schedules = make_schedules(optimizers, steps, last=0.03)
    seen: list[torch.Tensor] = []
    model.model.visual.register_forward_hook(lambda module, args, output: seen.append(output.pooler_output))
    batches = iter(DataLoader(Conversations(chat, seed), batch_size=None, num_workers=1, prefetch_factor=4))
    start = time.perf_counter()
    model.train()
    for step in tqdm(range(steps), desc="language model", mininterval=10):
        batch = next(batches)
        seen.clear()
        logits = _logits(model, batch)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten(), ignore_index=IGNORED)
        dense_loss, dense = heads(seen[0], batch)
        (loss + DENSE_WEIGHT * dense_loss).backward()
        nn.utils.clip_grad_norm_([*model.parameters(), *heads.parameters()], 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        if step % 100 == 99:
            seconds = time.perf_counter() - start
            log(f"language {step + 1:5d}  loss {loss.item():.3f}  tower's digits {dense['digit']:.2f}  {seconds:.0f} s")
        if step % 300 == 299:
            log(f"language {step + 1:5d}  held out {held_out(model, chat, 100)}")
            save(step + 1)


def _logits(model: Qwen3VLForConditionalGeneration, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    names = ("input_ids", "attention_mask", "mm_token_type_ids", "pixel_values", "image_grid_thw")
    return model(**{name: batch[name] for name in names}).logits


def held_out(model: Qwen3VLForConditionalGeneration, chat: Chat, count: int, seed: int = 5) -> dict[str, float]:
    """Share of conversations of each kind whose every trained token is the most probable one.

    Photographs and digits that were never trained on; one question each; the answer is forced, so an answer that is
    wholly right here is what greedy decoding says.
    """
    model.eval()
    rng = np.random.default_rng(seed)
    scores: dict[str, float] = {}
    with torch.no_grad():
        for name, (_, make) in KINDS.items():
            right: list[bool] = []
            while len(right) < count:
                batch = batch_of([make(rng, "test", chat) for _ in range(min(50, count - len(right)))])
                labels = batch["labels"][:, 1:]
                hits = (_logits(model, batch)[:, :-1].argmax(-1) == labels) | (labels == IGNORED)
                right += hits.all(1).tolist()
            scores[name] = round(sum(right) / len(right), 3)
    model.train()
    return scores

"""What is played for `recording.py`: which tasks, in which dialects, and what the assistant says.

New rows may be added here at any time. What is said comes from `recording_texts.py`; the data holds it literally.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pixel_env.dialects.rows.own import OWN
from tests.pixel_env.recording import dialect_by_itself, environment_of, gradings, play
from tests.pixel_env.recording_files import Row
from tests.pixel_env.recording_texts import (
    CHUNKS,
    ENDINGS,
    MIDDLE,
    Said,
    answer,
    boxes,
    crop,
    cut_call,
    frame_calls,
    frames,
    integer_calls,
    said,
    sayable,
    unreadable_calls,
)

BASES = (*(dialect.name for dialect in OWN), "released")  # other projects' rows have golden values
VARIANTS = (
    "released:frames",
    "released:vcot",
    "released:notool",
    "released:train-pixels",
    "released:vcot:train-pixels:frames",
    "default:notool",
    "default:vcot",
    "default:train-pixels",
    "qwen2.5-vl:notool",
    "qwen2.5-vl:train-pixels",
    "qwen3-vl:vcot",
    "qwen3-vl:notool:frames",
)
IDS = tuple(f"PixelReasoning-{name}-v0" for name in ("VStar", "TallyQA", "InfographicsVQA", "MVBench"))
SPLITS = ("test", "train")


# ------------------------------------------------------------------------------------------------------ episodes


def episodes(setting: Row, opening: Row, plan: Sequence[Said]) -> Iterator[Row]:
    """As many episodes as it takes to say all of `plan`, in order; what the dialect cannot say is left out."""
    rest = sayable(plan)
    while rest:
        episode = play(setting, opening, rest)
        rest = rest[len(episode["steps"]) :]
        yield episode


LONG = {"max_turns": 1000, "max_images": 1000}


def mistakes() -> Iterator[Row]:
    """What a model may do wrong, whole in the table's dialects and in part in their variants."""
    for dialect in (*BASES, *VARIANTS):
        setting: Row = {"id": "own", "dialect": dialect, "limits": LONG}
        by_number, by_box, by_frame = (list(rule(dialect)) for rule in (unreadable_calls, boxes, frame_calls))
        if dialect == "tiny":
            by_number = list(integer_calls())
        if dialect in VARIANTS:
            by_number, by_box, by_frame = by_number[::8], by_box[::6], by_frame[::6]
        yield from episodes(setting, {"task_id": "one"}, [*by_number, *by_box, said(frames(0), dialect)])
        yield from episodes(setting, {"task_id": "video"}, [*by_frame, said(crop(17, 0.1, 0.0, 0.8, 0.7), dialect)])
        if dialect in BASES:
            long = [said(crop(0, 0.0, 0.0, share, 1.0), dialect) for share in (0.25, 0.3, 0.4, 0.6, 1.0)]
            yield from episodes(setting, {"task_id": "tall"}, [*long, said(answer("B"), dialect)])


def endings() -> Iterator[Row]:
    """Answers, texts that are none, and messages in several chunks."""
    for dialect in (*BASES, "released:notool", "default:notool", "released:frames"):
        setting = {"id": "own", "dialect": dialect}
        chosen = ENDINGS if dialect in BASES else ENDINGS[::4]
        yield from episodes(setting, {"task_id": "text"}, [said(MIDDLE, dialect), *chosen])
        for chunks in CHUNKS if dialect in BASES else CHUNKS[:2]:
            yield play(setting, {"task_id": "text"}, chunks)
        length = len(said(MIDDLE, dialect)([(448, 448)]) or "")
        for places in ((5,), (length - 3,), (4, 8, length // 2)):
            yield play({**setting, "limits": {"max_turns": 6}}, {"task_id": "one"}, cut_call(dialect, *places))
        around = said(MIDDLE, dialect, before="Hm, \\boxed{7}? Look: ", after=" then \\boxed{7}" * (dialect != "tiny"))
        yield play(setting, {"task_id": "one"}, [around, said(answer("7"), dialect)])


BUDGETS = {
    kind: {"min_pixels": 28 * 28, "max_pixels": most * 28 * 28, "factor": 28}
    for kind, most in (("original", 32), ("crop", 64), ("video_frame", 9), ("selected_frame", 25))
}


def looking() -> Iterator[Row]:
    """Crops of crops, of second pictures, at borders, and frames, in every dialect; budgets that run out."""
    for dialect in (*BASES, *VARIANTS):
        setting: Row = {"id": "own", "dialect": dialect, "limits": {"max_turns": 8}}
        say = [
            said(row, dialect)
            for row in (
                crop(0, 0.5, 0.5, 1.0, 1.0),
                crop(1, 0.0, 0.25, 0.5, 0.75),
                crop(2, 0.21, 0.0, 0.9, 0.63),
                crop(1, 0.0, 0.0, 1.0, 1.0),
                crop(9, 0.0, 0.0, 1.0, 1.0),
            )
        ]
        ends = said(answer("2"), dialect)
        yield from episodes(setting, {"task_id": "two"}, [*say, ends])
        yield from episodes({**setting, "budgets": BUDGETS}, {"task_id": "large"}, [*say[:3], ends])
        chosen = [frames(4, 0), crop(5, 0.1, 0.2, 0.6, 0.7), crop(7, 0.3, 0.3, 1.0, 1.0), crop(2, 0.0, 0.5, 0.5, 1.0)]
        yield from episodes(setting, {"task_id": "short video"}, [*(said(row, dialect) for row in chosen), ends])
    for dialect, limits in itertools.product(
        BASES,
        ({"max_turns": 1}, {"max_turns": 2}, {"max_images": 4}, {"max_tokens": 900}, {"max_tokens": 1100}),
    ):
        setting = {"id": "own", "dialect": dialect, "limits": {"max_turns": 9, **limits}}
        say = [said(crop(0, 0.0, 0.0, 0.5, 0.5), dialect)] * 2
        chosen = [said(frames(1, 2, 3), dialect), said(frames(0), dialect), "Hm." * 300, said(answer("5"), dialect)]
        yield play(setting, {"task_id": "short video"}, [*say, *sayable(chosen)])
        yield play(setting, {"task_id": "short video"}, [said(answer("5"), dialect)])


# ------------------------------------------------------------------------------------------------------- the ids


def openings(environment: str, split: str) -> Iterator[tuple[int, Any]]:
    """For each kind of question the first seed that draws one, and its task."""
    env, inner = environment_of({"id": environment, "split": split, "dialect": "default"})
    kinds: dict[str, tuple[int, Any]] = {}
    for seed in range(12):
        env.reset(seed=seed)
        kinds.setdefault(inner.trajectory.task.category, (seed, inner.trajectory.task))
    yield from kinds.values()


def of_the_id(dialect: str, task: Any, *, is_right: bool) -> list[Said]:
    """Looks at the evidence, looks again into what was seen, and answers."""
    evidence = task.evidence[0]
    corners = evidence.box.corners
    wide = [max(0.0, low - 0.04) for low in corners[:2]] + [min(1.0, high + 0.04) for high in corners[2:]]
    first = len(task.sources)
    plan = [crop(evidence.image, *wide), crop(first, 0.25, 0.25, 0.75, 0.75)]
    if task.media == "video" and dialect != "tiny":
        chosen = list(dict.fromkeys(item.image for item in task.evidence))[:3]
        plan = [frames(*chosen), crop(first, *wide), crop(first + len(chosen), 0.1, 0.0, 0.9, 0.8)][: 2 + is_right]
    if dialect == "tiny":
        plan = [crop(0, *wide), crop(0, 0.5, 0.0, 1.0, 0.5)]
    plan.append(answer(task.answers[0] if is_right else "wrong"))
    return [said(row, dialect) for row in plan]


def played_ids(environment: str) -> Callable[[], Iterator[Row]]:
    """Episodes of an id: each kind of question of both splits, in turn in every dialect; interventions; draws."""

    def rows() -> Iterator[Row]:
        variants = itertools.cycle(VARIANTS)
        bases = itertools.cycle(BASES)
        for split in SPLITS:
            for place, (seed, task) in enumerate(openings(environment, split)):
                whole = BASES if place == 0 else [next(bases), next(bases)]
                for dialect in [*whole, next(variants)]:
                    setting = {"id": environment, "split": split, "dialect": dialect}
                    yield play(setting, {"seed": seed}, of_the_id(dialect, task, is_right=place % 3 != 2))
                if place > 1:
                    continue
                for kind in ("blank", "withheld", "random_place:3", "unreadable"):
                    dialect = ("default", "released", "tiny")[(place + (split == "train")) % 3]
                    setting = {"id": environment, "split": split, "dialect": dialect, "intervention": kind}
                    yield play(setting, {"seed": seed}, of_the_id(dialect, task, is_right=True))
        for split, place in itertools.product(SPLITS, range(3)):
            setting = {"id": environment, "split": split, "dialect": "qwen3-vl"}
            episode = play(setting, {"seed": 100, "further_resets": place}, ["Hm."])
            yield episode
        yield play(setting, {"task_id": episode["reset"]["task_id"]}, [])

    return rows


def graded_ids() -> Iterator[Row]:
    """The same answer in many forms, right and wrong, for each kind of question of each id."""
    for environment in IDS:
        for place, (seed, task) in enumerate(openings(environment, SPLITS[IDS.index(environment) % 2])):
            setting = {"id": environment, "split": SPLITS[IDS.index(environment) % 2], "dialect": "default"}
            texts = [f"\\boxed{{{text}}}" for text in forms(task)]
            yield gradings(setting, {"seed": seed}, texts if place < 3 else texts[:6])


def forms(task: Any) -> list[str]:
    """Ways to write the right answer, then wrong ones."""
    right = task.answers[0]
    texts = [right, f" {right.upper()}. ", f"The answer is {right}", f"\\text{{{right}}}", right[:-1] + "x", "", "none"]
    if task.options:
        letter = "ABCD"[task.options.index(right)]
        wrong = next(text for text in task.options if text != right)
        return [*texts, letter, f"({letter})", f"({letter}) {right}", f"({letter}) {wrong}", f"{letter} or X", wrong]
    if task.grader == "number":
        words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
        return [*texts, words[int(right) % 10], f"{right}.0", f"{right} cards", f"{right} of 9", f"{int(right) + 1}"]
    return [*texts, f"{right}, {right}", right.replace(",", ""), right + " km", right * 3, f"**{right}**"]


# --------------------------------------------------------------------------------------- dialects by themselves


def dialects_by_themselves() -> Iterator[Row]:
    """Schemas, writing and samples of every dialect."""
    corners = (
        (0.0, 0.0, 1.0, 1.0),
        (0.12345, 0.98764, 0.12346, 0.98766),
        (0.99999, 0.0, 1.0, 0.00001),
        (1 / 3, 1 / 7, 2 / 3, 6 / 7),
        (0.03125, 0.5, 0.09375, 0.53125),
    )
    sizes = [[308, 168], [1344, 896]]
    asked = [{"action": crop(image, *box), "sizes": sizes} for image in (0, 1) for box in corners]
    others = [
        *(frames(*chosen) for chosen in ((), (0,), (15, 3, 3))),
        *(
            answer(text)
            for text in ("7", " left ", "", "a} b", "a\\boxed{b}", "<answer>7", "<tool_call>", "{x}", "\u4f60")
        ),
        {"kind": "text", "text": "Hm.\n"},
        {"kind": "malformed", "code": "two_calls", "reason": "no"},
    ]
    asked += [{"action": row, "sizes": []} for row in others]
    for dialect in (*BASES, *VARIANTS):
        yield dialect_by_itself(dialect, asked)


FILES: dict[str, Callable[[], Iterator[Row]]] = {
    "dialects.jsonl": dialects_by_themselves,
    "mistakes.jsonl": mistakes,
    "endings.jsonl": endings,
    "looking.jsonl": looking,
    **{f"{name.split('-')[1].lower()}.jsonl": played_ids(name) for name in IDS},
    "gradings.jsonl": graded_ids,
}
"""Each file of the data, and what is played for it."""

"""An adversarial generator of lies: verified traces with one false statement or one false action put in.

    python -m tests.synth.verification.lies

prints of each kind how many of `EACH` the verification drops. Every lie is drawn from honest traces of the template
teacher by a seeded generator; the kinds in `UNDECIDABLE` need eyes, and stand here to show what passes.
"""

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np

from agents.rollout import EpisodeSettings
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import parse, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Answer, Limits
from pixel_env.grading import grade
from pixel_env.grading.choices import option_meant
from pixel_env.grading.number_words import ENGLISH_SMALL
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.testing import PixelSource
from synth.plans.mix import Mix, draw_plans
from synth.plans.plan import traced
from synth.seed_data import load_seeds
from synth.teachers.template.teacher import narrated
from synth.verification.verify import verify

EACH = 25
DIALECT = dataclasses.replace(dialect_named("default"), budgets=view_budgets(*[(28 * 28, 84 * 84)] * 4, factor=28))
SETTINGS = EpisodeSettings(DIALECT, Limits(), DIALECT.budgets)
ROMAN = dict(zip(range(2, 10), ("II", "III", "IV", "V", "VI", "VII", "VIII", "IX"), strict=True))
GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
CHINESE = "零一二三四五六七八九"

Lie = Callable[[Trace, np.random.Generator], Trace | None]
"""From an honest trace to a lying one; None where it has no room for this lie."""
LIES: dict[str, Lie] = {}
UNDECIDABLE: set[str] = set()


def lie(function: Lie) -> Lie:
    """Registers a kind of lie by the name of its function."""
    LIES[function.__name__] = function
    return function


def undecidable(function: Lie) -> Lie:
    """Registers a kind that no rule about texts and geometry can decide."""
    UNDECIDABLE.add(function.__name__)
    return lie(function)


# ------------------------------------------------------------------------------------------------------ honest traces


@cache
def honest_traces(count: int = 300, seed: int = 1) -> tuple[Trace, ...]:
    """Traces of the template teacher: embedded questions and evidence, on pictures that cost nothing."""
    tasks = [
        dataclasses.replace(task, sources=tuple(PixelSource(240, 240, shade) for shade in range(len(task.sources))))
        for task in load_seeds("embedded", count=count + count // 3).task_set.tasks
    ]
    plans = draw_plans(tasks, Mix(image=3, video=1, text=0), count, seed=seed).plans
    return tuple(traced(plan, narrated(plan, seed=seed), DIALECT) for plan in plans)


def lies_of(kind: str, count: int = EACH) -> list[Trace]:
    """`count` lies of a kind, each from another honest trace where there are enough."""
    rng = np.random.default_rng(sum(map(ord, kind)))
    traces, found = honest_traces(), list[Trace]()
    for _ in range(4):
        for index in rng.permutation(len(traces)):
            if len(found) == count:
                return found
            told = LIES[kind](traces[int(index)], rng)
            if told is not None:
                found.append(told)
    raise AssertionError(f"{kind}: {len(found)} of {count} lies")


def caught(kind: str, count: int = EACH) -> list[str]:
    """For each lie of a kind the reason why it is dropped; "" for one that passes."""
    verdicts = [verify(trace, SETTINGS) for trace in lies_of(kind, count)]
    return ["" if verdict.fault is None else verdict.fault.reason.value for verdict in verdicts]


# --------------------------------------------------------------------------------------------------- parts of a trace


def halves(turn: TraceTurn) -> tuple[str, str]:
    """The words of a turn, and its call or answer."""
    words, _, action = turn.text.rpartition("\n")
    return words, action


def with_turn(
    trace: Trace, index: int, *, words: str | None = None, action: str | None = None, **flags: object
) -> Trace:
    """The trace with another text, action or flag in one turn."""
    turns = list(trace.turns)
    old_words, old_action = halves(turns[index])
    text = f"{old_words if words is None else words}\n{old_action if action is None else action}".lstrip("\n")
    turns[index] = dataclasses.replace(turns[index], text=text, **flags)  # type: ignore[arg-type]
    return dataclasses.replace(trace, turns=tuple(turns))


def before_the_end(trace: Trace, sentence: str) -> Trace:
    """The trace with a sentence instead of the words of its last turn."""
    return with_turn(trace, len(trace.turns) - 1, words=sentence)


def one_of(rng: np.random.Generator, texts: tuple[str, ...] | list[str]) -> str:
    """A text at random."""
    return texts[int(rng.integers(len(texts)))]


def number_of(trace: Trace) -> int | None:
    """The answer as a number from 0 to 9."""
    answer = trace.task.answers[0]
    return int(answer) if answer.isdigit() and len(answer) == 1 else None


def another_number(trace: Trace, rng: np.random.Generator) -> str | None:
    """A digit that is not the answer; None if the answer is no digit."""
    number = number_of(trace)
    return None if number is None else str((number + int(rng.integers(1, 9))) % 10)


def another_answer(trace: Trace, rng: np.random.Generator) -> str | None:
    """An answer that is graded wrong, of the kind of the right one."""
    if trace.task.options:
        others = [option for option in trace.task.options if grade(trace.task, option) == 0.0]
        return one_of(rng, others)
    return another_number(trace, rng) or next(
        (text for text in ("Saturn", "12.75", "1788") if grade(trace.task, text) == 0.0), None
    )


def right_option(trace: Trace) -> int | None:
    """The place of the right option; None without options."""
    meant = option_meant(trace.task.answers[0], trace.task.options) if trace.task.options else frozenset()
    return next(iter(meant), None)


def looks_of(trace: Trace) -> list[int]:
    """The turns that call an operation."""
    return list(range(len(trace.turns) - 1))


def action_of(trace: Trace, index: int) -> object:
    """The parsed action of a turn, its boxes in fractions."""
    return parse(trace.turns[index].text, DIALECT, *(((240, 240),) * 64 for _ in range(2)))


def crop_call(image: int, box: Box) -> str:
    """A call that crops a box."""
    return write(CropImage(image, box), DIALECT)


def asks_for_a_digit(trace: Trace) -> bool:
    """Whether the answer is one digit that is read, not counted."""
    return number_of(trace) is not None and trace.task.question.startswith("Which digit") and not trace.task.options


def counts(trace: Trace) -> bool:
    """Whether the answer is a count."""
    return trace.task.grader == "number"


# ----------------------------------------------------------------------------------- flags, kinds, actions and order


@lie
def wrong_answer_in_the_box(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    return None if other is None else with_turn(trace, len(trace.turns) - 1, action=write(Answer(other), DIALECT))


@lie
def trained_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake]
    return with_turn(trace, flagged[0], train=True) if flagged else None


@lie
def mistake_without_its_flag(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.UNRELATED_REGION]
    return with_turn(trace, flagged[0], mistake=None, train=True) if flagged else None


@lie
def right_look_flagged_as_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    last = looks_of(trace)[-1]
    flag = Mistake.WRONG_FRAMES if trace.task.media == "video" else Mistake.UNRELATED_REGION
    return with_turn(trace, last, mistake=flag, train=False)


@lie
def flag_of_another_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.UNRELATED_REGION]
    return with_turn(trace, flagged[0], mistake=Mistake.OVERSIZED_REGION) if flagged else None


@lie
def name_of_another_kind(trace: Trace, rng: np.random.Generator) -> Trace:
    kinds = [kind for kind in ("single_pass", "recrop_once", "recrop_twice", "further_zoom") if kind != trace.kind]
    return dataclasses.replace(trace, kind=one_of(rng, kinds))


@lie
def unknown_kind(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, kind=one_of(rng, ["perfect_pass", "Single_Pass", "recrop", "zoom", "gold"]))


@lie
def nothing_trained(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=tuple(dataclasses.replace(turn, train=False) for turn in trace.turns))


@lie
def no_look(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=trace.turns[-1:])


@lie
def looks_twice_at_the_same(trace: Trace, rng: np.random.Generator) -> Trace | None:
    last = looks_of(trace)[-1]
    if len(trace.turns) > 4:
        return None
    turns = (*trace.turns[: last + 1], trace.turns[last], *trace.turns[last + 1 :])
    return dataclasses.replace(trace, turns=turns)


@lie
def last_turn_missing(trace: Trace, rng: np.random.Generator) -> Trace:
    return dataclasses.replace(trace, turns=trace.turns[:-1])


@lie
def box_elsewhere(trace: Trace, rng: np.random.Generator) -> Trace | None:
    action, last = action_of(trace, looks_of(trace)[-1]), looks_of(trace)[-1]
    if not isinstance(action, CropImage) or trace.turns[last].mistake:
        return None
    box = action.box
    x0 = 0.0 if box.x0 > 0.5 else 0.75
    y0 = 0.0 if box.y0 > 0.5 else 0.75
    return with_turn(trace, last, action=crop_call(action.image, Box(x0, y0, x0 + 0.2, y0 + 0.2)))


@lie
def other_frames(trace: Trace, rng: np.random.Generator) -> Trace | None:
    action = action_of(trace, looks_of(trace)[-1])
    if not isinstance(action, SelectFrames):
        return None
    known = {one.image for one in trace.task.evidence}
    free = [frame for frame in range(len(trace.task.sources)) if frame not in known]
    call = write(SelectFrames(tuple(free[:2])), DIALECT)
    return with_turn(trace, looks_of(trace)[-1], action=call)


# ------------------------------------------------------------------------------------------- the last turn's own words


@lie
def announces_another_answer(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    forms = ("So the answer is {}.", "The final answer: {}.", "The correct answer must be {}.", "My answer is {}.")
    return None if other is None else before_the_end(trace, one_of(rng, forms).format(other))


@lie
def earlier_box_with_another_value(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    forms = (
        "\\boxed{{{}}}. Checking again:",
        "I get \\boxed{{{}}} at first sight, and then:",
        "$\\boxed{{{}}}$ Hold on.",
        "\\boxed{{{}}} or rather",
        "First \\boxed{{{}}}, finally:",
    )
    return None if other is None else before_the_end(trace, one_of(rng, forms).format(other))


@lie
def calls_a_wrong_option_right(trace: Trace, rng: np.random.Generator) -> Trace | None:
    right = right_option(trace)
    if right is None:
        return None
    letter = "ABCDEFGH"[(right + int(rng.integers(1, len(trace.task.options)))) % len(trace.task.options)]
    forms = (
        "Option {} is right.",
        "{} is the correct one, as the crop shows.",
        "I see it clearly now, so option {} is correct.",
        "Choice ({}) matches what is shown.",
        "The detail is in view, which makes {} the right choice.",
        "I pick {}.",
    )
    return before_the_end(trace, one_of(rng, forms).format(letter))


@lie
def letter_of_another_option(trace: Trace, rng: np.random.Generator) -> Trace | None:
    right = right_option(trace)
    if right is None:
        return None
    letter = "ABCDEFGH"[(right + 1) % len(trace.task.options)]
    return before_the_end(trace, f"What I find is ({letter}) {trace.task.options[right]}.")


@lie
def reads_another_digit(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not asks_for_a_digit(trace):
        return None
    forms = (
        "On the card I clearly read a {}. It is large and sharp.",
        "The card shows a {}.",
        "I can see a {} on it now.",
        "It says {} in bold strokes.",
        "The digit on the card is a {}.",
        "There is a {} printed on the card.",
    )
    words = ENGLISH_SMALL[int(other)] if rng.random() < 0.3 else other
    return before_the_end(trace, one_of(rng, forms).format(words))


@lie
def reads_another_digit_and_announces_the_right_one(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not asks_for_a_digit(trace):
        return None
    forms = ("I clearly read a {}.", "The card shows a {}.", "It says {}.")
    return before_the_end(trace, f"{one_of(rng, forms).format(other)} So the answer is {trace.task.answers[0]}.")


@lie
def counts_another_number(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not counts(trace) or other == "0":
        return None
    forms = (
        "I count {} of them.",
        "There are {} such cards.",
        "I can see {} that fit.",
        "In total I find {}.",
        "That makes {} in all.",
        "Going through them one after the other I find {}.",
    )
    words = ENGLISH_SMALL[int(other)] if rng.random() < 0.3 else other
    return before_the_end(trace, one_of(rng, forms).format(words))


@lie
def reads_another_text(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if trace.task.grader != "anls":
        return None
    other = one_of(rng, ["Jupiter", "Lake Geneva", "Friday", "North wing", "Zinc"])
    forms = ('The row reads "{}".', 'In the crop it says "{}".', 'I read "{}" there.', 'The label shows "{}".')
    return before_the_end(trace, one_of(rng, forms).format(other))


@lie
def guesses(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "I cannot read any digit, so I guess.",
        "It is too blurry to make out, so this is a guess.",
        "I can't tell what it shows; my best guess:",
        "Nothing is legible here, I pick one at random.",
        "I am unable to read the detail.",
        "The detail is still unreadable in this crop.",
        "I have no idea, so I take a wild guess.",
        "It is impossible to say what stands there.",
        "Ich kann es nicht lesen, also rate ich.",
        "我看不清，只能猜。",
    )
    return before_the_end(trace, one_of(rng, forms))


@lie
def denies_its_answer(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    right = right_option(trace)
    if right is not None:
        letter = "ABCDEFGH"[right]
        forms = (f"Option {letter} is wrong.", f"It is not {letter}.", f"({letter}) can be ruled out.")
    elif number_of(trace) is not None:
        forms = (f"It is not {answer}.", f"{answer} is wrong.", f"There are not {answer}.", f"It cannot be {answer}.")
    else:
        forms = (f"It is not {answer}.", f"It does not say {answer}.", f"It is certainly not {answer}.")
    return before_the_end(trace, one_of(rng, list(forms)))


@lie
def false_sum(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not counts(trace):
        return None
    a, b = number + 1 + int(rng.integers(3)), 1 + int(rng.integers(4))
    forms = (f"{a} + {b} = {number}.", f"{a} plus {b} makes {number}.", f"{a} and {b} makes {number} in all.")
    return before_the_end(trace, one_of(rng, list(forms)))


@lie
def says_that_no_look_was_needed(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "The overview alone was enough to see it.",
        "I did not need to zoom in for this.",
        "Without looking closer I can tell.",
        "No crop was necessary.",
        "I answer from the overview alone.",
    )
    return before_the_end(trace, one_of(rng, forms))


@lie
def blames_the_right_look(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "This crop missed the detail in question.",
        "I was looking in the wrong place.",
        "What I need is not in this crop.",
        "This turns out to be an unrelated part of the picture.",
        "These frames do not show what the question is about.",
        "This look was a mistake.",
    )
    return before_the_end(trace, one_of(rng, forms))


# ----------------------------------------------------------------------------------------- remarks on earlier turns


@lie
def praises_a_mistake(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [
        index for index, turn in enumerate(trace.turns) if turn.mistake and turn.mistake is not Mistake.OVERSIZED_REGION
    ]
    forms = (
        "Perfect, this crop shows exactly what was asked.",
        "Great, here is the detail that I need.",
        "This is just what I was looking for.",
        "The detail is clearly visible here.",
        "Now I see what the question is about.",
        "Excellent, that settles it.",
        "This region holds the answer.",
        "Perfect, this shows it. Now I look elsewhere.",
    )
    return with_turn(trace, flagged[-1] + 1, words=one_of(rng, forms)) if flagged else None


@lie
def finds_an_over_large_crop_close_enough(trace: Trace, rng: np.random.Generator) -> Trace | None:
    flagged = [index for index, turn in enumerate(trace.turns) if turn.mistake is Mistake.OVERSIZED_REGION]
    forms = (
        "This crop is close enough to read everything.",
        "Perfect, the detail fills this view and is easy to read.",
        "This is as close as one can get, and perfectly legible.",
        "I can read the detail clearly in this crop.",
    )
    return with_turn(trace, flagged[0] + 1, words=one_of(rng, forms)) if flagged else None


# --------------------------------------------------------------------------------------------- told before it is shown


def told_early(trace: Trace, sentence: str) -> Trace | None:
    """The trace with a sentence in its first turn; None if that turn is a mistake (its look shows nothing yet)."""
    words, _ = halves(trace.turns[0])
    return with_turn(trace, 0, words=f"{words} {sentence}".strip())


@lie
def tells_the_digit_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number == 1 or not asks_for_a_digit(trace):
        return None
    return told_early(trace, one_of(rng, [f"It shows {number}, I think.", f"There seems to be a {number}."]))


@lie
def tells_the_text_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    if trace.task.grader != "anls" or any(char.isdigit() for char in answer) or len(answer) < 3:
        return None
    return told_early(trace, one_of(rng, [f"I can see {answer}.", f"There seems to be {answer}."]))


@lie
def announces_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    return told_early(trace, f"So the answer is {trace.task.answers[0]}.")


@lie
def tells_in_roman_numerals(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number not in ROMAN or not asks_for_a_digit(trace):
        return None
    return told_early(trace, one_of(rng, ["It looks like {}.", "There is a {} on it.", "({})"]).format(ROMAN[number]))


@lie
def tells_in_german(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 2 or not asks_for_a_digit(trace):
        return None
    forms = ["Da steht eine {}.", "It is a {}, as a German would say.", "Auf der Karte sehe ich die {}."]
    return told_early(trace, one_of(rng, forms).format(GERMAN[number]))


@lie
def tells_in_french_or_spanish(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 2 or not asks_for_a_digit(trace):
        return None
    french, spanish = (
        ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
        "dos tres cuatro cinco seis siete ocho nueve",
    )
    forms = [f"Je vois un {french[number - 2]}.", f"Veo un {spanish.split()[number - 2]} en la imagen."]
    return told_early(trace, one_of(rng, forms))


@lie
def tells_in_chinese(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not asks_for_a_digit(trace):
        return None
    forms = ["上面写着{}。", "卡片上的数字是{}。", "我看到数字{}。", "我看到一个{}。"]
    return told_early(trace, one_of(rng, forms).format(CHINESE[number]))


@lie
def tells_in_brackets(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not asks_for_a_digit(trace):
        return None
    forms = ["I note ({0}, {0}).", "It is there [{0}].", "Something like ({0}; {0}).", "[{0}, {0}, {0}]"]
    return told_early(trace, one_of(rng, forms).format(number))


@lie
def tells_in_signs(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number == 0 or not asks_for_a_digit(trace):
        return None
    forms = [chr(0x245F + number), chr(0xFF10 + number), chr(0x2775 + number), f"{number}\ufe0f\u20e3"]
    return told_early(trace, f"It seems to be {one_of(rng, forms)} on that card.")


@lie
def tells_as_a_calculation(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 4 or not asks_for_a_digit(trace):
        return None
    a = int(rng.integers(1, number))
    forms = [
        f"It looks like {a} + {number - a}.",
        f"It seems to be {ENGLISH_SMALL[a]} plus {ENGLISH_SMALL[number - a]}.",
    ]
    return told_early(trace, one_of(rng, forms))


@lie
def tells_letter_by_letter(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    if not answer.isalpha() or len(answer) < 4:
        return None
    spelled = one_of(rng, ["-", " ", ".", "·"]).join(answer)
    return told_early(trace, one_of(rng, [f"I make out {spelled}.", f"It may read {spelled}, I think."]))


@lie
def tells_with_accents(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    vowels = dict(zip("aeiou", "áéíóú", strict=True))
    changed = "".join(vowels.get(char, char) for char in answer)
    if not answer.isalpha() or len(answer) < 3 or changed == answer:
        return None
    return told_early(trace, f"I can see {changed} there.")


@lie
def tells_a_pair_or_a_dozen(trace: Trace, rng: np.random.Generator) -> Trace | None:
    names = {2: ["a pair", "a couple"], 3: ["a trio", "a threesome"]}
    number = number_of(trace)
    if number not in names or not counts(trace):
        return None
    return told_early(trace, f"I can see {one_of(rng, names[number])} of such cards.")


# ------------------------------------------------------------------------------------------------ words and geometry

_PLACES = {
    "top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1),
    "upper left": (0, 0), "lower right": (1, 1), "left": (0, None), "right": (1, None), "top": (None, 0),
    "bottom": (None, 1),
}  # fmt: skip


def wrong_place(box: Box, rng: np.random.Generator) -> str | None:
    """The name of a place that the box is not at."""
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    at = [
        name
        for name, (right, low) in _PLACES.items()
        if (right is not None and abs(x - right) > 0.6) or (low is not None and abs(y - low) > 0.6)
    ]
    return one_of(rng, at) if at else None


def crops_of(trace: Trace) -> list[tuple[int, CropImage]]:
    """The turns that crop, with their actions."""
    acted = [(index, action_of(trace, index)) for index in looks_of(trace)]
    return [(index, action) for index, action in acted if isinstance(action, CropImage)]


@lie
def names_another_corner(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (crops := crops_of(trace)):
        return None
    index, action = crops[int(rng.integers(len(crops)))]
    place = wrong_place(action.box, rng)
    whole = "this crop" if index and action.image >= len(trace.task.sources) else "the picture"
    if trace.task.media == "video":
        whole = "the frame"
    forms = (
        "I crop the {place} corner.",
        "I will zoom in on the {place} of {whole}.",
        "Let me look closer at the {place} part of {whole}.",
        "Next I crop the {place} area of {whole}.",
        "I need a closer look at the {place} corner of {whole}.",
        "Let me check the {place}-hand side of {whole}.",
        "Zooming in on the {place} region.",
    )
    if place is None:
        return None
    fitting = [form for form in forms if "hand" not in form or place in ("left", "right")]
    fitting = [form for form in fitting if "corner" not in form or " " in place]
    return with_turn(trace, index, words=one_of(rng, fitting).format(place=place, whole=whole))


@lie
def names_another_half(trace: Trace, rng: np.random.Generator) -> Trace | None:
    crops = [(index, action) for index, action in crops_of(trace) if action.image < len(trace.task.sources)]
    if not crops:
        return None
    index, action = crops[0]
    x, y = (action.box.x0 + action.box.x1) / 2, (action.box.y0 + action.box.y1) / 2
    wrong = [
        name for name, far in (("left", x > 0.7), ("right", x < 0.3), ("upper", y > 0.7), ("lower", y < 0.3)) if far
    ]
    if not wrong:
        return None
    forms = ("I crop the {} half of the picture.", "I zoom in on the {} third.", "Let me look at the {} half.")
    return with_turn(trace, index, words=one_of(rng, forms).format(one_of(rng, wrong)))


@lie
def names_the_centre(trace: Trace, rng: np.random.Generator) -> Trace | None:
    crops = [
        (index, action)
        for index, action in crops_of(trace)
        if action.image < len(trace.task.sources)
        and max(abs((action.box.x0 + action.box.x1) / 2 - 0.5), abs((action.box.y0 + action.box.y1) / 2 - 0.5)) > 0.32
        and action.box.area < 0.1
    ]
    if not crops:
        return None
    forms = (
        "I zoom in on the centre of the picture.",
        "Let me crop the middle of the picture.",
        "I take a closer look at the very center of the image.",
        "So I crop the central part of the picture.",
    )
    return with_turn(trace, crops[0][0], words=one_of(rng, forms))


def selections_of(trace: Trace) -> list[tuple[int, SelectFrames]]:
    """The turns that select frames, with their actions."""
    acted = [(index, action_of(trace, index)) for index in looks_of(trace)]
    return [(index, action) for index, action in acted if isinstance(action, SelectFrames)]


@lie
def names_another_moment(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (selections := selections_of(trace)):
        return None
    index, action = selections[0]
    middle = (action.frames[0] + action.frames[-1] + 1) / 2 / len(trace.task.sources)
    wrong = ["the end of the video", "the last frames", "the closing part of the video", "the final frames"]
    if middle > 0.5:
        wrong = ["the beginning of the video", "the first frames", "the opening of the video", "the early frames"]
    if 0.4 < middle < 0.6:
        return None
    forms = ("I select {}.", "I will look more closely at {}.", "Let me select frames from {}.", "I turn to {}.")
    return with_turn(trace, index, words=one_of(rng, forms).format(one_of(rng, wrong)))


@lie
def names_other_frames(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if not (selections := selections_of(trace)):
        return None
    index, action = selections[0]
    free = [n for n in range(1, len(trace.task.sources) + 1) if n not in action.frames and n - 1 not in action.frames]
    if len(free) < 2:
        return None
    first = free[int(rng.integers(len(free)))]
    forms = (f"I select frame {first}.", f"Let me look closer at frame {first}.", f"I pick frame number {first}.")
    return with_turn(trace, index, words=one_of(rng, list(forms)))


@lie
def names_another_second(trace: Trace, rng: np.random.Generator) -> Trace | None:
    selections = selections_of(trace)
    if not selections or not trace.task.frames_per_second:
        return None
    index, action = selections[0]
    seconds = [frame / trace.task.frames_per_second for frame in action.frames]
    free = [second for second in range(len(trace.task.sources)) if min(abs(second - one) for one in seconds) > 3]
    if not free:
        return None
    second = free[int(rng.integers(len(free)))]
    forms = (
        f"I select the frames at {second} seconds.",
        f"Let me look at second {second}.",
        f"I look closer at the moment around 0:{second:02}.",
        f"I select what happens {second} s into the video.",
    )
    return with_turn(trace, index, words=one_of(rng, list(forms)))


@lie
def names_another_operation(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if selections := selections_of(trace):
        forms = ("I crop the region that matters.", "I will crop the picture there.", "So I rotate the picture.")
        return with_turn(trace, selections[0][0], words=one_of(rng, forms))
    index, _ = crops_of(trace)[0]
    forms = ("I select the frames that matter.", "I will select some frames.", "So I rotate the picture.")
    return with_turn(trace, index, words=one_of(rng, forms))


@lie
def quotes_another_question(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = ('The question is: "{}"', 'I am asked: "{}"', 'My task reads: "{}"')
    others = ["What is the man with the hat holding?", "Where does the train stop?", "Who wins the race?"]
    return with_turn(trace, 0, words=f"{one_of(rng, forms).format(one_of(rng, others))} {halves(trace.turns[0])[0]}")


@lie
def counts_looks_that_were_not(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if len(looks_of(trace)) != 1:
        return None
    forms = (
        "After three crops I can tell.",
        "Both crops show it.",
        "My second look settles it.",
        "The third crop shows it best.",
        "The two looks agree.",
    )
    if trace.task.media == "video":
        forms = ("My second look settles it.", "After three selections I can tell.", "Both selections show it.")
    return before_the_end(trace, one_of(rng, forms))


# -------------------------------------------------------------------------------------------- what needs eyes to decide


@undecidable
def describes_what_is_not_there(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "A brown dog sleeps in front of a red barn, so I look closer.",
        "A crowd is waving flags under a stormy sky.",
        "Two men shake hands in an office; the detail is small.",
    )
    return with_turn(trace, 0, words=one_of(rng, forms))


@undecidable
def gives_a_false_reason(trace: Trace, rng: np.random.Generator) -> Trace:
    answer = trace.task.answers[0]
    forms = (
        "Its shadow proves it: {}.",
        "As the sign beside it explains, the answer is {}.",
        "Its shape is a spiral: {}.",
    )
    return before_the_end(trace, one_of(rng, forms).format(answer))


@undecidable
def tells_by_a_riddle(trace: Trace, rng: np.random.Generator) -> Trace | None:
    riddles = {3: "as many as a triangle has sides", 4: "as many as a dog has legs", 7: "as many as the days of a week"}
    number = number_of(trace)
    if number not in riddles or trace.task.options:
        return None
    return told_early(trace, f"It looks like {riddles[number]}.")


# --------------------------------------------------------------------------------------------------------- the table


def table(count: int = EACH) -> str:
    """Of each kind how many lies are dropped, and for which reasons, as a table of Markdown."""
    rows = ["| kind of lie | dropped | reasons |", "|---|---|---|"]
    for kind in LIES:
        reasons = [reason for reason in caught(kind, count) if reason]
        named = ", ".join(f"`{reason}`" for reason in sorted(set(reasons), key=reasons.count, reverse=True))
        rows.append(f"| {kind.replace('_', ' ')} | {len(reasons)} of {count} | {named} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())

"""Lies and honest texts in wordings that were written after the rules, and for which no rule was changed afterwards.

    python -m tests.synth.verification.unseen

prints how many of them are dropped: how far the rules reach beyond the wordings that they were made with (`lies.py`).
"""

import dataclasses

from synth.verification.verify import verify
from tests.synth.verification.honest import (
    ASIDE,
    CLIP,
    CLIP_EVIDENCE,
    COUNT,
    DIGIT,
    GLOVE,
    LATE,
    PRICE,
    RIGHT,
    SIGN,
    ZERO,
)  # fmt: skip
from tests.synth.verification.test_verify import SETTINGS, trace_of

LOOK = "I look at the whole picture."
FALSE_ENDS = [
    *((DIGIT, text) for text in (
        "Now that it is enlarged, the figure is evidently a 5.",
        "Its shape, round at the top and open at the left, gives a 9.",
        "What I am looking at here is the digit two.",
        "The card carries an eight.",
        "Reading the card: 0.",
        "4, printed in black on red.",
        "\\boxed{1} was my first idea.",
        "I settle for option 7 although the card reads 2.",
        "I have to guess since the crop is blurred.",
        "There is no way to know the digit, so I take any.",
        "I made the digit up.",
        "The digit cannot be recognised in this crop.",
        "It is everything except a 7.",
        "The number on the card differs from 7.",
        "The crop does not contain the card at all.",
        "I picked the wrong region.",
        "I answered right away, no crop was required.",
        "All five crops agree.",
    )),
    *((GLOVE, text) for text in (
        "My choice is C.",
        "This is obviously cotton.",
        "The answer must be kevlar.",
        "(B) leather is what I see.",
        "Rubber is the material of the glove.",
        "D is out of the question.",
    )),
    *((COUNT, text) for text in (
        "I get to a total of eight.",
        "Nine cups stand there.",
        "There were only 2 cups.",
        "1 + 3 = 5.",
        "Four here, that is all of them.",
    )),
    *((SIGN, text) for text in (
        'In large letters: "Airport".',
        "The sign shows the word STADIUM.",
        "The sign is too blurred to be read.",
        "I see no Harbour on the sign.",
    )),
    (PRICE, "The menu says 2.80."),
]  # fmt: skip
FALSE_STARTS = [
    *((DIGIT, text) for text in (
        "The crop goes to the top left.",
        "My crop is taken from the upper edge of the photo.",
        "Let me have a look in the top-left quadrant.",
        "I will zoom towards the left border of the image.",
        "Starting with the upper third of the picture, I crop it.",
        "Cropping the far left side.",
        "I suspect VII.",
        "I would bet on sieben.",
        "数字似乎是七。",
        "Hidden in it: s.e.v.e.n.",
        "Something like (7, 7) comes to mind.",
        "Five and two more, I suppose: 5 + 2.",
    )),
    *((CLIP, text) for text in (
        "The beginning of the clip should show it, I select it.",
        "I go for frames 3, 4 and 5.",
        "At 0:02 something happens, so I select that moment.",
        "I select the earliest frames.",
        "Let me crop the video there.",
    )),
]  # fmt: skip
FALSE_PRAISE = (
    "Bingo, the card.",
    "This crop has everything that I need.",
    "The digit can be seen very well here.",
    "I am done, the card is in the crop.",
    "Exactly the right place.",
    "The card lies in the middle of this crop.",
)

HONEST_ENDS = [
    (DIGIT, "The stroke bends at the top and runs down to the left, as that of a 7 does."),
    (DIGIT, "Beside the card stands bus 42; the card itself shows 7."),
    (DIGIT, "It took a crop to see it: 7."),
    (DIGIT, "I am sure that it is not a 1 or a 4 but a 7."),
    (DIGIT, "The 7 has a small bar, which made it look like a 2 from afar."),
    (DIGIT, "There are three cards in this crop. The one in red has the digit 7."),
    (DIGIT, "In 2 of the other cards nothing can be read, but the red one says 7."),
    (GLOVE, "Neither rubber nor kevlar has such a grain; leather does, so D."),
    (GLOVE, "It shines like rubber, yet the pores are those of leather. The answer is D."),
    (GLOVE, "The right option is D."),
    (COUNT, "Behind the 2 plates I find five cups in a row."),
    (COUNT, "Of the 9 things on the table 4 are plates, which leaves 5 cups."),
    (COUNT, "Five."),
    (ZERO, "Apart from two gulls the beach is empty, so there are 0 dogs."),
    (ZERO, "I cannot find a single dog: 0."),
    (SIGN, 'It is not "Habour" but "Harbour", with two r.'),
    (SIGN, "The word begins with an H; the whole of it is Harbour."),
    (PRICE, "The tea is 2.80 and the coffee 3.50, so it costs 3.50."),
]
HONEST_STARTS = [
    (DIGIT, "To the left of the shop window, in the lower right of the photo, there is a card. I crop it."),
    (DIGIT, "The upper half is only sky, so I crop the lower right."),
    (DIGIT, "I zoom in on the card next to the man on the left bench."),
    (DIGIT, "A first look shows a street. I want to see the card, right of the door."),
    (CLIP, "At the beginning he is away; I select the frames in which he is back."),
    (CLIP, "I select two frames from the last third."),
]
HONEST_AFTER_A_MISTAKE = (
    "A good view of the roof, but that is not what I asked for. I try the lower right.",
    "Exactly the wrong corner: only clouds. Now the lower right.",
    "I see a window. The card must be further down, on the right.",
    "This shows leaves. I go on to the lower right.",
)


def lying_cases() -> list[tuple[object, ...]]:
    """(task, looks, texts) of every lie."""
    ends = [(task, [RIGHT], LOOK, text) for task, text in FALSE_ENDS]
    starts = [(task, [LATE if task is CLIP else RIGHT], text, "It is a 7.") for task, text in FALSE_STARTS]
    praise = [(DIGIT, [ASIDE, RIGHT], LOOK, text, "It is a 7.") for text in FALSE_PRAISE]
    return [*ends, *starts, *praise]


def honest_cases() -> list[tuple[object, ...]]:
    """(task, looks, texts) of every honest trace."""
    ends = [(task, [RIGHT], LOOK, text) for task, text in HONEST_ENDS]
    starts = [(task, [LATE if task is CLIP else RIGHT], text, "It is a 7.") for task, text in HONEST_STARTS]
    after = [(DIGIT, [ASIDE, RIGHT], LOOK, text, "It is a 7.") for text in HONEST_AFTER_A_MISTAKE]
    return [*ends, *starts, *after]


def dropped(case: tuple[object, ...]) -> bool:
    """Whether the verification drops the trace of a case."""
    task, looks, *texts = case
    if task.media == "video":
        task = dataclasses.replace(task, evidence=CLIP_EVIDENCE)
    return verify(trace_of(*looks, task=task, answer=task.answers[0], texts=texts), SETTINGS).fault is not None


if __name__ == "__main__":
    for name, cases in (("lies", lying_cases()), ("honest traces", honest_cases())):
        print(f"{sum(map(dropped, cases))} of {len(cases)} {name} in wordings that came after the rules are dropped")

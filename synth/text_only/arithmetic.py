"""Arithmetic word problems: seven families of problems with whole numbers.

Depends on `problem.py`; independent of tasks.
"""

import numpy as np

from synth.text_only.problem import NAMES, Problem, one_of, solved, some_of, whole

_GOODS = ("notebooks", "pencils", "mugs", "candles", "postcards", "apples", "bottles", "plates", "lamps", "tickets")
_SWEETS = ("marbles", "stickers", "cherries", "nuts", "beads", "coins", "shells", "cards", "stamps", "buttons")


def expression(rng: np.random.Generator) -> Problem:
    """Brackets, a product and a difference."""
    a, b, c, d = whole(2, 60, rng), whole(2, 60, rng), whole(2, 12, rng), whole(2, 99, rng)
    request = one_of(("What is", "Calculate", "Work out", "Find the value of"), rng)
    end = "?" if request == "What is" else "."
    total = (a + b) * c - d
    steps = (
        f"The bracket comes first: {a} + {b} = {a + b}.",
        f"Then the product: {a + b} × {c} = {(a + b) * c}.",
        f"Finally the difference: {(a + b) * c} - {d} = {total}.",
    )
    question = f"{request} ({a} + {b}) × {c} - {d}{end}"
    return Problem(question, str(total), solved(*steps, answer=str(total), rng=rng))


def shopping(rng: np.random.Generator) -> Problem:
    """Two kinds of goods, paid with a round sum."""
    name, (first, second) = one_of(NAMES, rng), some_of(_GOODS, 2, rng)
    m, n, p, q = whole(2, 9, rng), whole(2, 9, rng), whole(2, 15, rng), whole(2, 15, rng)
    cost = m * p + n * q
    paid = (cost // 50 + 1) * 50
    question = (
        f"{name} buys {m} {first} at {p} euros each and {n} {second} at {q} euros each and pays with {paid} euros. "
        "How many euros does the cashier give back?"
    )
    steps = (
        f"The {first} cost {m} × {p} = {m * p} euros.",
        f"The {second} cost {n} × {q} = {n * q} euros.",
        f"Together that is {m * p} + {n * q} = {cost} euros.",
        f"Of {paid} euros, {paid} - {cost} = {paid - cost} {'comes' if paid - cost == 1 else 'come'} back.",
    )
    return Problem(question, str(paid - cost), solved(*steps, answer=str(paid - cost), rng=rng))


def sharing(rng: np.random.Generator) -> Problem:
    """Division with remainder."""
    name, things = one_of(NAMES, rng), one_of(_SWEETS, rng)
    children, each = whole(3, 14, rng), whole(3, 40, rng)
    rest = whole(1, children - 1, rng)
    total = children * each + rest
    asks_for_rest = bool(rng.integers(2))
    request = "How many are left over?" if asks_for_rest else "How many does each child get?"
    answer = str(rest if asks_for_rest else each)
    question = f"{name} shares {total} {things} evenly among {children} children, as far as possible. {request}"
    steps = (
        f"I divide {total} by {children}: {children} × {each} = {children * each}, which is the most that fits.",
        f"Each child gets {each}, and {total} - {children * each} = {rest} {'is' if rest == 1 else 'are'} left over.",
    )
    return Problem(question, answer, solved(*steps, answer=answer, rng=rng))


def discount(rng: np.random.Generator) -> Problem:
    """A price, so many per cent off, and a delivery fee."""
    percent, fee = 5 * whole(1, 15, rng), whole(2, 30, rng)
    price = 20 * whole(2, 60, rng)
    off = price * percent // 100
    total = price - off + fee
    thing = one_of(("bicycle", "coat", "camera", "table", "radio", "tent", "printer", "rug"), rng)
    question = (
        f"A {thing} costs {price} euros. It is sold at {percent} % off, and delivery costs {fee} euros. "
        "How many euros have to be paid in all?"
    )
    steps = (
        f"{percent} % of {price} euros is {price} × {percent} / 100 = {off} euros.",
        f"The reduced price is {price} - {off} = {price - off} euros.",
        f"With delivery it is {price - off} + {fee} = {total} euros.",
    )
    return Problem(question, str(total), solved(*steps, answer=str(total), rng=rng))


def journey(rng: np.random.Generator) -> Problem:
    """Two legs at constant speeds."""
    v, w, s, t = 5 * whole(2, 24, rng), 5 * whole(2, 24, rng), whole(1, 6, rng), whole(1, 6, rng)
    name, total = one_of(NAMES, rng), v * s + w * t
    question = (
        f"{name} travels for {s} h at {v} km/h and then for {t} h at {w} km/h. How many kilometres is that in all?"
    )
    steps = (
        f"The first leg is {s} × {v} = {v * s} km long.",
        f"The second leg is {t} × {w} = {w * t} km long.",
        f"Both together are {v * s} + {w * t} = {total} km.",
    )
    return Problem(question, str(total), solved(*steps, answer=str(total), rng=rng))


def clock(rng: np.random.Generator) -> Problem:
    """A time of day and a duration."""
    start = whole(0, 24 * 60 - 1, rng)
    hours, rest = whole(1, 6, rng), whole(1, 59, rng)
    what = one_of(("concert", "film", "train ride", "match", "lecture", "flight", "rehearsal", "hike"), rng)
    minutes = 60 * hours + rest
    end = (start + minutes) % (24 * 60)
    question = (
        f"A {what} starts at {_time(start)} and lasts {minutes} minutes. At what time does it end, as hours:minutes?"
    )
    on_the_hour = (start + 60 * hours) % (24 * 60)
    steps = (
        f"{minutes} minutes are {hours} h and {rest} min.",
        f"{_time(start)} and {hours} h give {_time(on_the_hour)}.",
        f"Another {rest} min give {_time(end)}.",
    )
    return Problem(question, _time(end), solved(*steps, answer=_time(end), rng=rng), "exact")


def sequence(rng: np.random.Generator) -> Problem:
    """The next term of a sequence whose steps grow evenly."""
    first, step, growth = whole(1, 60, rng), whole(2, 15, rng), whole(0, 6, rng)
    steps = [step + growth * index for index in range(5)]
    terms = [first]
    for change in steps:
        terms.append(terms[-1] + change)
    *shown, answer = terms
    differences = ", ".join(str(change) for change in steps[:-1])
    rule = "they stay the same" if growth == 0 else f"they grow by {growth} each time"
    question = f"Which number continues the sequence {', '.join(map(str, shown))}?"
    solution = (
        f"The differences are {differences}: {rule}.",
        f"The next difference is {steps[-1]}, and {shown[-1]} + {steps[-1]} = {answer}.",
    )
    return Problem(question, str(answer), solved(*solution, answer=str(answer), rng=rng))


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

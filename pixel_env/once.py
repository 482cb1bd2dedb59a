"""Results that are made once for each object and remembered as long as the object lives.

Depends on weak references; independent of what is made.
"""

import weakref
from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


def once_for_each(make: Callable[[Given], Result]) -> Callable[[Given], Result]:
    """`make`, called once for each object: for values such as dialects, which hold mappings and have no hash.

    The object is frozen and can be referred to weakly; do not change the result, which is shared. An error is not
    remembered.
    """
    made: dict[int, tuple[weakref.ref[Given], Result]] = {}

    def remembered(given: Given) -> Result:
        number = id(given)
        entry = made.get(number)
        if entry is not None and entry[0]() is given:
            return entry[1]
        result = make(given)
        made[number] = (weakref.ref(given, lambda _: made.pop(number, None)), result)
        return result

    remembered.__doc__ = make.__doc__
    return remembered

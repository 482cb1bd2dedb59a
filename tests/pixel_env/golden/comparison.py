"""What is asked of every row: no difference without a reason, and no reason without a difference."""

from collections.abc import Iterable, Mapping
from typing import Any


def assert_differences(cases: Iterable[tuple[Mapping[str, Any], bool, Any, Any]], reasons: Mapping[str, str]) -> None:
    """`cases`: each with whether ours does the same, what ours does, what theirs does; `reasons`: by kind of text."""
    differ: dict[str, str] = {}
    for case, same, ours, theirs in cases:
        if not same:
            differ.setdefault(case["kind"], f"{case['text']!r}: ours {ours}, theirs {theirs}")
    unexplained = {kind: what for kind, what in differ.items() if kind not in reasons}
    assert not unexplained, unexplained
    assert set(reasons) == set(differ), "a reason without a difference"

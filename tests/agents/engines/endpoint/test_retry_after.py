"""How long an endpoint asks to wait is read from its headers, and never trusted for long."""

from email.utils import formatdate

import pytest

from agents.engines.endpoint.retry_after import backoff_s, held_seconds, requested_wait_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0.0), ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("inf", 120.0), ("nan", 0.0), ("soon", 0.0),
     (formatdate(1_000_004, usegmt=True), 4.0), (formatdate(999_000, usegmt=True), 0.0),
     (formatdate(2_000_000, usegmt=True), 120.0)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date_and_never_holds_for_long(header, seconds):
    assert held_seconds(header, now_s=1_000_000.0) == seconds


def test_milliseconds_come_before_seconds_and_without_both_the_waits_grow():
    assert requested_wait_s({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert requested_wait_s({"retry-after": "9"}) == 9.0 and requested_wait_s({}) == 0.0
    assert [backoff_s(attempt) for attempt in (0, 1, 2, 4, 9, 5000)] == [0.5, 1.0, 2.0, 8.0, 8.0, 8.0]

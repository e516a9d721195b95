"""Identifiers sort in the order in which they were made."""

import time

from fairground.kernel.ids import uuid7


def test_ids_of_one_process_are_distinct_and_in_order() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert ids == sorted(set(ids))


def test_id_has_its_time_and_version() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    assert made.version == 7
    assert before_ms <= made.int >> 80 <= before_ms + 2_000

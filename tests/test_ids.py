import time
import uuid

from foretell.ids import uuid7


def test_ids_are_uuids_of_version_7() -> None:
    identifier = uuid7()

    assert (identifier.version, identifier.variant) == (7, uuid.RFC_4122)


def test_ids_sort_by_the_time_they_were_made() -> None:
    first = uuid7()
    time.sleep(1e-5)
    second = uuid7()

    assert first < second
    assert str(first) < str(second)


def test_no_two_ids_are_alike() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000

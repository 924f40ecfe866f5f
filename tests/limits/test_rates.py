"""Rates as people write them."""

import pytest

from foretell.limits import InvalidRate, Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/min", Rate(10, 60.0, 10)),
        ("100/s", Rate(100, 1.0, 100)),
        ("60000/h", Rate(60_000, 3_600.0, 60_000)),
        ("10/min burst 20", Rate(10, 60.0, 20)),
        ("5/10s", Rate(5, 10.0, 5)),
        (" 2 / Minute ", Rate(2, 60.0, 2)),
        ("1000/day", Rate(1_000, 86_400.0, 1_000)),
        ("7/hours", Rate(7, 3_600.0, 7)),
    ],
)
def test_a_rate_reads_as_it_is_said(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text",
    ["", "10", "10/", "/min", "0/min", "-1/min", "1.5/s", "10/fortnight", "10/min burst", "10/min burst 0", "10/0s", "1/32d",
     "10000000000000000/s", "10/min; 20/h", "\uff11\uff10/min", "1\u00b2/s", "10/min\n20/min burst", "9" * 5_000 + "/s",
     "1/d burst 36501", "100/31d burst 1000000"],
)  # fmt: skip
def test_what_is_no_rate_is_refused_with_what_was_found_and_what_is_expected(text: str) -> None:
    with pytest.raises(InvalidRate) as refused:
        Rate.parse(text)

    assert "10/min" in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("text", ["10/min", "100/s", "5/10s", "10/min burst 20", "3/d", "1/d burst 36500"])
def test_a_rate_is_written_as_it_is_read(text: str) -> None:
    assert str(Rate.parse(text)) == text


def test_what_cannot_be_divided_evenly_is_rounded_against_the_caller() -> None:
    rate = Rate.parse("7/min")

    assert 7 * rate.interval_ns >= 60_000_000_000
    assert rate.tolerance_ns == 7 * rate.interval_ns

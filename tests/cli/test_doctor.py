"""`foretell doctor` tells of a home that is none, of a prediction log that is not drained, and of what was set aside in it."""

import time
from pathlib import Path

import pytest

from foretell.cli.server.doctor import configuration, prediction_log
from foretell.segments.writing import SegmentWriter
from tests.logged import prediction_record


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETELL_HOME", str(tmp_path))
    return tmp_path


def logged_at(home: Path, at_us: int) -> None:
    writer = SegmentWriter(home / "predictions", reserve_bytes=0)
    writer.append(prediction_record(at_us=at_us))
    writer.close()


def test_a_log_that_is_drained_soon_is_well(home: Path) -> None:
    assert list(prediction_log()) == []
    logged_at(home, time.time_ns() // 1_000)

    (finding,) = prediction_log()

    assert finding.state == "ok"


def test_what_waits_for_long_and_what_was_set_aside_is_told(home: Path) -> None:
    logged_at(home, time.time_ns() // 1_000 - 600_000_000)
    (home / "predictions" / "x.damaged").touch()

    (finding,) = prediction_log()

    assert finding.state == "warn"
    assert "is a worker running" in finding.detail
    assert "x.damaged" in finding.detail


def test_a_home_that_is_a_file_fails_and_one_that_is_not_made_yet_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()

    states = {}
    for name in ("file", "new", ""):
        monkeypatch.setenv("FORETELL_HOME", str(tmp_path / name))
        states[name] = next(finding.state for finding in configuration() if finding.what == "home")

    assert states == {"file": "fail", "new": "warn", "": "ok"}

"""A prediction is on disk before it is answered, as much of it as its model's policy allows; else its tenant's policy decides."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import override_settings

from foretell.problems import RETRY_AFTER_S
from foretell.registry import recording
from foretell.segments.records import TOO_LARGE, PredictionRecord
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.segments.full_disk import full_disk
from tests.segments.reading_back import all_records

PREDICT = "/api/v1/models/sum/predict/"
MODEL = "/api/v1/models/sum/"
SECRET = 73190541.25  # far outside of the training range, so that the answer warns of it


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log of the test's own, with everything that this process writes to it."""
    recording.close_recorder()
    with override_settings(PREDICTION_LOG_ROOT=tmp_path / "log", PREDICTION_LOG_RESERVE_BYTES=0):
        yield tmp_path / "log"
        recording.close_recorder()


def logged(log: Path) -> PredictionRecord:
    (record,) = all_records(log)
    assert isinstance(record, PredictionRecord)
    return record


def bytes_on_disk(log: Path) -> bytes:
    return b"".join(path.read_bytes() for path in log.rglob("*") if path.is_file())


def test_what_was_answered_is_on_disk_when_the_answer_is_there(acme: House, bob: httpx.Client, log: Path) -> None:
    ready_sum_model(acme)

    answer = bob.post(PREDICT, content=b'{"a":1, "b":2}', headers={"Content-Type": "application/json"})

    record = logged(log)
    assert (record.tenant, record.model, record.version, record.face) == (str(acme.tenant.id), "sum", 1, "rest")
    assert (record.user_id, record.key_id) == (str(acme.user("bob").pk), acme.people["bob"].key_id)
    assert (record.inputs, record.inputs_type, record.outputs) == (
        b'{"a":1, "b":2}',
        "application/json",
        answer.content,
    )
    assert record.request_id == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("body", [{"a": SECRET, "b": 2}, {"instances": [[SECRET, 2.5]]}])
def test_a_redacted_value_never_reaches_the_disk(
    acme: House, alice: httpx.Client, log: Path, body: dict[str, Any]
) -> None:
    ready_sum_model(acme)
    changed = alice.patch(MODEL, json={"log_payload": "redacted", "redacted_inputs": ["a"]})
    assert (changed.status_code, changed.json()["redacted_inputs"]) == (200, ["a"])

    answer = alice.post(PREDICT, json=body)

    assert str(int(SECRET)) in answer.text  # the caller is told, in the warning
    record = logged(log)
    assert b'"a":[null]' in (record.inputs or b"")
    assert record.n_warnings == 1
    assert str(int(SECRET)).encode() not in bytes_on_disk(log)


def test_control_without_redaction_the_value_is_there(acme: House, alice: httpx.Client, log: Path) -> None:
    ready_sum_model(acme)

    alice.post(PREDICT, json={"a": SECRET, "b": 2})

    assert str(SECRET).encode() in bytes_on_disk(log)


def test_without_payloads_only_who_and_when_are_kept(acme: House, alice: httpx.Client, log: Path) -> None:
    ready_sum_model(acme)
    alice.patch(MODEL, json={"log_payload": "none"})

    alice.post(PREDICT, json={"a": SECRET, "b": 2})

    record = logged(log)
    assert (record.inputs, record.inputs_type, record.outputs, record.n_rows) == (None, "", None, 1)
    assert str(int(SECRET)).encode() not in bytes_on_disk(log)


def test_a_payload_beyond_a_megabyte_is_left_out_and_said_to_be(acme: House, alice: httpx.Client, log: Path) -> None:
    ready_sum_model(acme)

    answer = alice.post(PREDICT, json={"instances": [[1.25, 2.0625]] * 100_000})

    record = logged(log)
    assert answer.status_code == 200
    assert (record.inputs, record.inputs_type, record.n_rows) == (None, TOO_LARGE, 100_000)


# --- who may change what is kept ---


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"log_payload": "some"}, "log_payload"), ({"log_payload": "redacted"}, "redacted_inputs"),
        ({"log_payload": "redacted", "redacted_inputs": []}, "redacted_inputs"),
        ({"log_payload": "redacted", "redacted_inputs": ["A"]}, "redacted_inputs"), ({"redacted_inputs": ["a"]}, "redacted_inputs"),
        ({"log_payload": "none", "redacted_inputs": ["a"]}, "redacted_inputs"), ({"redacted_inputs": "a"}, "redacted_inputs"),
    ],
)  # fmt: skip
def test_a_policy_that_would_not_do_what_it_says_is_refused(
    acme: House, alice: httpx.Client, change: dict[str, Any], attr: str
) -> None:
    ready_sum_model(acme)

    answer = alice.patch(MODEL, json=change)

    assert (answer.status_code, answer.json()["errors"][0]["attr"].split(".")[0]) == (400, attr)
    assert alice.get(MODEL).json()["log_payload"] == "full"


def test_only_admins_change_what_is_kept(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)

    assert http_for("erin").patch(MODEL, json={"log_payload": "none"}).status_code == 403
    assert http_for("adam").patch(MODEL, json={"log_payload": "none"}).status_code == 200


def test_another_policy_forgets_the_names(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    alice.patch(MODEL, json={"log_payload": "redacted", "redacted_inputs": ["a", "a"]})

    body = alice.patch(MODEL, json={"log_payload": "full"}).json()

    assert (body["log_payload"], body["redacted_inputs"]) == ("full", [])


# --- a log that takes nothing ---


@pytest.fixture
def log_that_takes_nothing(acme: House, alice: httpx.Client, log: Path) -> Iterator[None]:
    """From here on the log cannot grow; the model is loaded and answered once before."""
    ready_sum_model(acme)
    assert alice.post(PREDICT, json={"a": 1, "b": 2}).status_code == 200
    with full_disk(log):
        yield


@pytest.mark.usefixtures("log_that_takes_nothing")
def test_a_prediction_that_cannot_be_logged_is_503(alice: httpx.Client) -> None:
    answer = alice.post(PREDICT, json={"a": 1, "b": 2})

    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
    assert answer.headers["Retry-After"] == str(RETRY_AFTER_S)
    assert "prediction" not in answer.json()


@pytest.mark.usefixtures("log_that_takes_nothing")
def test_with_best_effort_it_is_answered_and_readiness_says_why_it_is_degraded(
    acme: House, alice: httpx.Client
) -> None:
    from foretell.config.readiness import prediction_log
    from foretell.tenants.models import LogPolicy
    from foretell.tenants.services import set_log

    set_log(tenant=acme.tenant, policy=LogPolicy.BEST_EFFORT)
    try:
        assert alice.post(PREDICT, json={"a": 1, "b": 2}).json()["prediction"] == 3.0
        assert "takes no records" in (prediction_log() or "")
    finally:
        set_log(tenant=acme.tenant, policy=LogPolicy.REQUIRED)

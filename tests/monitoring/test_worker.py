"""Beside the worker's jobs the log is drained all the time, so that a prediction can be read soon after it was answered."""

import time

import httpx

from foretell.monitoring.draining_thread import draining
from tests.cast import House
from tests.models import ready_sum_model
from tests.monitoring.conftest import Drain


def test_a_prediction_can_be_read_soon_after_its_answer(acme: House, alice: httpx.Client, drain: Drain) -> None:
    ready_sum_model(acme)
    with draining():
        identifier = alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).json()["id"]
        deadline = time.monotonic() + 20
        while alice.get(f"/api/v1/predictions/{identifier}/").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_worker_drains_what_is_there_when_it_ends(acme: House, alice: httpx.Client, drain: Drain) -> None:
    ready_sum_model(acme)
    with draining():
        identifier = alice.post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2}).json()["id"]

    assert alice.get(f"/api/v1/predictions/{identifier}/").status_code == 200

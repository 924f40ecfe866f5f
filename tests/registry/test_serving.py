"""A tenant's versions in memory: only what was built here, and answers as its author did, is served."""

import httpx

from tests.cast import House
from tests.models import ready_sum_model

PREDICT = "/api/v1/models/sum/predict/"
ROW = {"a": 1, "b": 2}


def test_a_version_that_no_longer_answers_as_its_author_did_is_not_served(acme: House, alice: httpx.Client) -> None:
    from foretell.registry.sealing import seal

    version = ready_sum_model(acme)
    with acme.inside():
        version.examples["answers"]["sum"]["values"][0] = 3.5
        version.seal = seal(version)
        version.save()

    answer = alice.post(PREDICT, json=ROW)

    assert (answer.status_code, answer.json()["code"]) == (503, "seal_broken")
    assert "does not answer its 2 examples as its author did" in answer.json()["detail"]


def test_a_version_that_was_mended_is_served_again(acme: House, alice: httpx.Client) -> None:
    """What failed is remembered for the row as it was; another seal is another model."""
    version = ready_sum_model(acme)
    with acme.inside():
        good, version.seal = version.seal, "0" * 64
        version.save()
    assert alice.post(PREDICT, json=ROW).status_code == 503
    with acme.inside():
        version.seal = good
        version.save()

    assert alice.post(PREDICT, json=ROW).json()["prediction"] == 3.0

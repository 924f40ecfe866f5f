import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model


@pytest.mark.parametrize("prefix", ["", "/t/acme"])
def test_an_address_without_its_last_slash_is_sent_on_with_method_body_and_query(
    http_for: HttpFor, prefix: str
) -> None:
    client = http_for("alice")

    moved = client.post(f"{prefix}/api/v1/models?a=%C3%A9", json={"name": "wine"})

    assert (moved.status_code, moved.headers["Location"]) == (308, f"{prefix}/api/v1/models/?a=%C3%A9")
    assert client.post(f"{prefix}/api/v1/models", json={"name": "wine"}, follow_redirects=True).status_code == 201


def test_predictions_are_sent_nowhere(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)

    for path in ("/api/v1/models/sum/predict", "/api/v1/models/sum/predict/"):
        assert http_for("bob").post(path, json={"a": 1, "b": 2}).status_code == 200


def test_what_is_not_there_with_a_slash_either_is_404(http_for: HttpFor) -> None:
    assert http_for("alice").get("/api/v1/nothing").status_code == 404


@pytest.mark.parametrize("path", ["//evil.example/api/v1/models", "/\\evil.example", "//evil.example"])
def test_a_redirect_never_leads_to_another_host(http_for: HttpFor, path: str) -> None:
    client = http_for("alice")

    answer = client.get("http://acme.localhost" + path)

    assert (
        "evil.example" not in answer.headers.get("Location", "").lstrip("/").split("/")[0] or answer.status_code == 404
    )

"""The OpenAPI document: valid, silent, of this tenant, and of what the caller may see."""

from typing import Any

import httpx
import pytest
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has none

from foretell.inference.signature import DType, Input, Output, Signature, Task
from foretell.registry.signature_schemas import answer_schema, row_schema
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

SCHEMA = "/api/v1/schema/?format=json"


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for path in document["paths"].values() for inner in path.values() if "operationId" in inner]


def test_the_document_is_valid_openapi_31_and_made_without_a_warning(
    acme: House, bob: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ready_sum_model(acme)
    capsys.readouterr()

    document = bob.get(SCHEMA).json()

    written = capsys.readouterr()
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]  # drf-spectacular has no types there
    identifiers = [operation["operationId"] for operation in operations(document)]
    assert len(identifiers) == len(set(identifiers))
    assert "Warning" not in written.err + written.out
    assert "Error" not in written.err + written.out


def test_it_has_each_models_own_fields_and_the_general_addresses(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    document = bob.get(SCHEMA).json()
    paths = document["paths"]

    body = paths["/api/v1/models/sum/predict/"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["oneOf"][0] == {"$ref": "#/components/schemas/sum.Row"}
    assert document["components"]["schemas"]["sum.Row"]["required"] == ["a", "b"]
    assert body["examples"]["one row"]["value"] == {"a": 1.0, "b": 2.0}
    assert "/api/v1/models/{name}@{alias}/predict/" in paths
    assert "/api/v1/models/{name}/versions/{number}/predict/" in paths


def test_its_example_is_one_that_the_model_answers(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)
    body = bob.get(SCHEMA).json()["paths"]["/api/v1/models/sum/predict/"]["post"]["requestBody"]["content"]

    for example in body["application/json"]["examples"].values():
        assert bob.post("/api/v1/models/sum/predict/", json=example["value"]).status_code == 200


def test_it_says_that_a_prediction_may_be_no_finite_number(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)
    schemas = bob.get(SCHEMA).json()["components"]["schemas"]
    answer = bob.post("/api/v1/models/sum/predict/", json={"a": 1.7e308, "b": 1.7e308}).json()

    assert answer["prediction"] is None
    Draft202012Validator(schemas["sum.Answer"] | {"components": {"schemas": schemas}}).validate(answer)


def test_a_key_limited_to_some_models_reads_of_no_other(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    ready_sum_model(acme, name="hidden")
    assert "hidden" in http_for("bob").get(SCHEMA).text

    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["sum"])
    text = http_for("bob").get(SCHEMA).text

    assert "/models/sum/predict/" in text
    assert "hidden" not in text


def test_nothing_of_another_tenant_is_in_it(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme)

    assert "/models/sum/" not in http_for("carol").get(SCHEMA).text


def test_read_below_the_prefix_it_sends_its_readers_below_the_prefix(acme: House, http_for: HttpFor) -> None:
    client, credential = http_for(None, tenant="globex"), {"X-API-Key": acme.people["bob"].key}

    below = client.get(f"/t/acme{SCHEMA}", headers=credential).json()
    at_its_own_host = http_for("bob").get(SCHEMA).json()

    assert below["servers"] == [{"url": "/t/acme"}]
    assert "servers" not in at_its_own_host


def test_a_row_that_was_tampered_with_is_left_out_and_the_rest_stays(acme: House, bob: httpx.Client) -> None:
    from foretell.registry.models import ModelVersion

    version = ready_sum_model(acme)
    ready_sum_model(acme, name="whole")
    with acme.inside():
        ModelVersion.objects.filter(pk=version.pk).update(signature={"inputs": []})

    paths = bob.get(SCHEMA).json()["paths"]

    assert "/api/v1/models/whole/predict/" in paths
    assert "/api/v1/models/sum/predict/" not in paths


def test_swagger_is_shown_from_our_own_files(acme: House, bob: httpx.Client) -> None:
    page = bob.get("/api/v1/docs/", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "//" not in page.text.replace("<!-- ", "").replace("http://acme.localhost", "")


def test_units_bounds_choices_and_missing_values_are_told() -> None:
    signature = Signature(
        inputs=(
            Input(name="age", dtype=DType.FLOAT, unit="years", help="On the day.", limits=(0, 120), range=(1, 80)),
            Input(name="sex", dtype=DType.CATEGORY, categories=("female", "male"), nullable=True),
            Input(name="city", dtype=DType.CATEGORY, categories=("Rome",), closed=False),
            Input(name="day", dtype=DType.DATETIME),
        ),
        outputs=(Output(name="survived", task=Task.BINARY, classes=(0, 1), probabilities=True),),
    )

    row = row_schema(signature)
    single = answer_schema(signature)["properties"]

    fields = row["properties"]
    assert row["required"] == ["age", "city", "day"]
    assert (fields["age"]["minimum"], fields["age"]["maximum"]) == (0, 120)
    assert fields["age"]["description"] == "On the day. In years. Seen in training: 1 to 80."
    assert (fields["sex"]["type"], fields["sex"]["enum"]) == (["string", "null"], ["female", "male", None])
    assert ("enum" in fields["city"], fields["city"]["description"]) == (False, "Known: Rome.")
    assert fields["day"]["format"] == "date-time"
    assert single["prediction"] == {"type": "integer", "enum": [0, 1]}
    assert set(single["probabilities"]["properties"]) == {"0", "1"}

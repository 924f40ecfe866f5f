"""The browsable API: a page at every address, and a form of the model's own fields where one asks it."""

import html

import httpx
import pytest
from rest_framework import serializers

from foretell.inference.signature import DType, Input, Output, Signature, Task
from foretell.registry.signature_forms import serializer_for
from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model

PREDICT = "/api/v1/models/sum/predict/"
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.parametrize(
    "path", ["models/", "models/sum/", "models/sum/versions/", "models/sum/versions/1/", "models/sum/aliases/", "me/"]
)
def test_browsers_get_pages_at_the_same_addresses(acme: House, bob: httpx.Client, path: str) -> None:
    ready_sum_model(acme)

    answer = bob.get(f"/api/v1/{path}", headers=HTML)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_page_of_a_prediction_has_a_form_filled_with_an_example(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    page = html.unescape(bob.get(PREDICT, headers=HTML).text)

    assert '<input name="a" class="form-control" type="number"  value="1.0" >' in page
    assert '"a": 1.0' in page


def test_the_form_is_answered_with_what_json_is_answered_with(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    as_browsers_send_it = bob.post(PREDICT, files={"a": (None, "1"), "b": (None, "2.5")}, headers=HTML)
    urlencoded = bob.post(PREDICT, data={"a": "1", "b": "2.5", "csrfmiddlewaretoken": "x"}, headers=HTML)

    for answer in (as_browsers_send_it, urlencoded):
        assert answer.status_code == 200
        assert '"prediction": 3.5' in html.unescape(answer.text)


def test_the_form_is_read_as_strictly_as_everything_else(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    assert bob.post(PREDICT, data={"a": "one", "b": "2"}, headers=HTML).status_code == 400
    assert bob.post(PREDICT, data={"a": "1", "b": "2", "c": "3"}, headers=HTML).status_code == 400


def test_a_program_that_sends_a_form_by_mistake_is_told(acme: House, bob: httpx.Client) -> None:
    ready_sum_model(acme)

    answer = bob.post(PREDICT, data={"a": "1", "b": "2"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("model", ["none", "sum@nobody", "sum/versions/9"])
def test_where_nobody_could_answer_the_page_has_no_form_and_does_not_break(
    acme: House, bob: httpx.Client, model: str
) -> None:
    ready_sum_model(acme)

    shown = bob.get(f"/api/v1/models/{model}/predict/", headers=HTML)
    asked = bob.post(f"/api/v1/models/{model}/predict/", data={"a": "1", "b": "2"}, headers=HTML)

    assert (shown.status_code, asked.status_code) == (405, 404)
    assert 'name="a"' not in shown.text


def test_the_form_tells_nothing_of_a_model_that_the_key_may_not_see(acme: House, http_for: HttpFor) -> None:
    from foretell.accounts.models import APIKey

    ready_sum_model(acme)
    with acme.inside():
        APIKey.objects.filter(user__username="bob").update(model_names=["other"])

    bob = http_for("bob")
    hidden, absent = bob.get(PREDICT, headers=HTML), bob.get("/api/v1/models/none/predict/", headers=HTML)

    assert hidden.status_code == absent.status_code
    assert 'name="a"' not in hidden.text


def test_each_datatype_has_its_field() -> None:
    signature = Signature(
        inputs=(
            Input(name="sepal length (cm)", dtype=DType.FLOAT, limits=(0, None), unit="cm", help="Measured.", example=5.1),
            Input(name="rooms", dtype=DType.INT, nullable=True),
            Input(name="old", dtype=DType.BOOL, example=True),
            Input(name="sex", dtype=DType.CATEGORY, categories=("female", "male")),
            Input(name="city", dtype=DType.CATEGORY, categories=("Rome",), closed=False),
            Input(name="data", dtype=DType.STRING),
            Input(name="fields", dtype=DType.DATETIME),
        ),
        outputs=(Output(name="y", task=Task.REGRESSION),),
    )  # fmt: skip

    form = serializer_for(signature)()

    kinds = {name: type(field) for name, field in form.fields.items()}
    assert kinds == {
        "sepal length (cm)": serializers.FloatField,
        "rooms": serializers.IntegerField,
        "old": serializers.BooleanField,
        "sex": serializers.ChoiceField,
        "city": serializers.CharField,
        "data": serializers.CharField,
        "fields": serializers.CharField,
    }
    assert (form.fields["sepal length (cm)"].label, form.data["sepal length (cm)"]) == ("sepal length (cm), in cm", 5.1)
    assert not form.fields["rooms"].required

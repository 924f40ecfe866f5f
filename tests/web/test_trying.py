"""The page of a model: its form, and what comes back when it is sent."""

import html
import json
import re
import shlex

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.trained import ready_example, ready_version
from tests.web.conftest import SignedIn
from tests.web.pages import ask, text_of


def test_the_form_asks_for_what_the_signature_says(signed_in: SignedIn, acme: House) -> None:
    ready_example(acme, "titanic")

    page = signed_in("alice").get("/models/titanic/")

    assert page.status_code == 200
    assert re.findall(r'name="input:([^"]+)"', page.text)[:3] == ["pclass", "pclass", "pclass"]
    assert 'type="radio" name="input:sex" value="female"' in page.text
    assert (
        "May be left out: the list does not know it for 177 people. From 0 to 120. Seen in training: 0.42 to 80."
        in text_of(page)
    )
    assert "died, survived" in text_of(page)


def test_a_viewer_gets_an_answer_with_its_probabilities(signed_in: SignedIn, acme: House) -> None:
    ready_example(acme, "iris")
    flower = {
        "sepal length (cm)": "7.9",
        "sepal width (cm)": "2.9",
        "petal length (cm)": "6.3",
        "petal width (cm)": "1.8",
    }

    answer = ask(signed_in("bob"), "/models/iris/", flower)

    assert answer.status_code == 200
    assert '<data value="virginica">virginica</data>' in answer.text
    assert re.search(r"virginica 100\.0 % 100\.0 % (setosa|versicolor) 0\.0 %", text_of(answer))
    assert "By iris, version 1. Prediction 01" in text_of(answer)


def test_a_number_is_answered_in_digits_for_people_and_exactly_for_programs(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)

    answer = ask(signed_in("bob"), "/models/sum/", {"a": "0.1", "b": "0.2"})

    assert '<data value="0.30000000000000004">0.3</data>' in answer.text


def test_what_was_typed_stays_in_the_form(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)

    page = ask(signed_in("bob"), "/models/sum/", {"a": "7.250", "b": "211.3375"}).text

    assert 'value="7.250"' in page
    assert 'value="211.3375"' in page


def test_the_curl_command_beside_the_answer_gets_the_same_over_rest(
    signed_in: SignedIn, acme: House, alice: httpx.Client
) -> None:
    ready_example(acme, "titanic")
    man = {"pclass": "3", "sex": "male", "age": "", "sibsp": "0", "parch": "0", "fare": "7.25", "embarked": ""}

    page = ask(signed_in("bob"), "/models/titanic/", man).text

    words = shlex.split(html.unescape(re.search(r"<pre[^>]*><code>(curl.*?)</code></pre>", page, re.DOTALL)[1]))  # type: ignore[index]
    assert words[:2] == ["curl", "http://acme.localhost/api/v1/models/titanic/predict/"]
    answer = alice.post(words[1], content=words[-1], headers={"Content-Type": "application/json"})
    assert json.loads(words[-1]) == {
        "pclass": 3,
        "sex": "male",
        "age": None,
        "sibsp": 0,
        "parch": 0,
        "fare": 7.25,
        "embarked": None,
    }
    assert answer.json()["prediction"] == "died"
    assert str(answer.json()["probabilities"]["died"]) in page


def test_every_fault_stands_beside_its_field_and_in_a_summary_with_a_link(signed_in: SignedIn, acme: House) -> None:
    ready_example(acme, "titanic")

    answer = ask(
        signed_in("bob"), "/models/titanic/", {"pclass": "3", "age": "130", "sibsp": "0", "parch": "0", "fare": "7,25"}
    )

    assert answer.status_code == 422
    assert "3 inputs have to be put right" in text_of(answer)
    assert '<a href="#input-5">fare</a>: Found &quot;7,25&quot;; expected a number.' in answer.text
    assert re.search(
        r'<div id="input-2_error"><p class="error">Found 130(\.0)?; expected at most 120.</p></div>', answer.text
    )
    assert '<div id="input-1_error"><p class="error">This input is missing;' in answer.text
    assert 'value="7,25"' in answer.text


def test_outside_the_training_range_is_answered_with_a_warning(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)

    answer = ask(signed_in("bob"), "/models/sum/", {"a": "1000", "b": "2"})

    assert answer.status_code == 200
    assert "1002" in text_of(answer)
    assert re.search(r"a : Found 1000(\.0)?; the training data had values from 0 to 10\.", text_of(answer))


def test_the_example_is_a_plain_link(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)
    client = signed_in("bob")
    assert 'href="/models/sum/?example=1"' in client.get("/models/sum/").text

    page = client.get("/models/sum/?example=1").text

    assert re.findall(r'name="input:(\w)" value="(\d)"', page) == [("a", "1"), ("b", "2")]


def test_a_field_that_the_model_does_not_have_is_named(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme)

    answer = ask(signed_in("bob"), "/models/sum/", {"a": "1", "b": "2", "c": "3"})

    assert answer.status_code == 422
    assert "c:" in text_of(answer)


@pytest.mark.parametrize("query", ["?version=1", "?alias=champion", "?version=1&example=1"])
def test_a_version_can_be_tried_by_its_number_or_an_alias(signed_in: SignedIn, acme: House, query: str) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="another")
    client = signed_in("bob")

    answer = ask(client, f"/models/sum/{query}", {"a": "1", "b": "2"})

    assert "By sum, version 1." in text_of(answer)
    assert "By sum, version 2." in text_of(ask(client, "/models/sum/?version=2", {"a": "1", "b": "2"}))  # the control


@pytest.mark.parametrize(
    "path",
    [
        "/models/nothing/", "/models/secret/", "/models/old/", "/models/sum/?version=9", "/models/sum/?version=x", "/models/sum/?version=-1",
        "/models/sum/?version=99999999999999999999", "/models/sum/?alias=challenger", "/models/sum/?alias=a%00b", "/models/%2e%2e%2fx/", "/nowhere/",
    ],
)  # fmt: skip
def test_what_is_not_there_and_what_is_not_yours_read_the_same(
    signed_in: SignedIn, acme: House, globex: House, path: str
) -> None:
    ready_sum_model(acme)
    ready_sum_model(globex, name="secret", by="carol")
    old = ready_sum_model(acme, name="old")
    with acme.inside():
        type(old.model).objects.filter(name="old").update(archived_at=old.created_at)
    client = signed_in("alice")

    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.content == client.get("/models/never-heard-of/").content


def test_without_a_version_that_is_ready_the_page_says_what_is_in_the_way(signed_in: SignedIn, acme: House) -> None:
    from foretell.registry.models import State

    version = ready_sum_model(acme)
    with acme.inside():
        version.aliases.all().delete()
        type(version).objects.filter(pk=version.pk).update(
            state=State.FAILED, reason_code="not_fitted", reason="The estimator is not fitted."
        )

    page = signed_in("bob").get("/models/sum/")

    assert page.status_code == 200
    assert "Nothing to try yet" in text_of(page)
    assert "version 1 failed The estimator is not fitted." in text_of(page)


def test_a_model_that_cannot_answer_now_says_so_and_keeps_the_form(signed_in: SignedIn, acme: House) -> None:
    version = ready_sum_model(acme)
    with acme.inside():
        type(version).objects.filter(pk=version.pk).update(sha256="0" * 64)

    answer = ask(signed_in("bob"), "/models/sum/", {"a": "1.5", "b": "2"})

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "The model could not answer" in text_of(answer)
    assert 'value="1.5"' in answer.text


def test_a_500_is_a_page_with_the_request_and_nothing_else(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in("bob")

    def broken(request: object) -> str:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("foretell.web.views.catalogue.first_commands", broken)
    answer = client.get("/")

    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_key_is_not_a_session(http_for: HttpFor, acme: House) -> None:
    ready_sum_model(acme)
    client = http_for("alice")
    client.headers["Accept"] = "text/html"

    assert client.get("/models/sum/").status_code == 302


def test_a_form_of_a_thousand_inputs_is_taken(signed_in: SignedIn, acme: House) -> None:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    from foretell.inference.conversion import convert

    sample = pd.DataFrame(np.eye(20, 1_100), columns=[f"x{number}" for number in range(1_100)])
    estimator = LinearRegression().fit(sample, sample["x3"] * 5)
    ready_version(acme, convert(estimator, sample), name="wide")

    answer = ask(signed_in("bob"), "/models/wide/", dict.fromkeys(sample.columns, "0"))

    assert answer.status_code == 200
    assert "By wide, version 1." in text_of(answer)

from datetime import timedelta

import httpx
import pytest

from tests.cast import House
from tests.models import ready_sum_model
from tests.web.conftest import SignedIn
from tests.web.pages import text_of


def test_without_models_it_teaches_three_commands_with_this_very_address(signed_in: SignedIn) -> None:
    page = signed_in("bob").get("/")

    assert page.status_code == 200
    assert "foretell login --url http://acme.localhost --tenant acme" in page.text
    assert "foretell push model.joblib" in page.text


def test_a_model_stands_with_its_task_and_champion_and_a_link(signed_in: SignedIn, acme: House) -> None:
    ready_sum_model(acme, name="sum")

    page = signed_in("bob").get("/")

    assert "sum regression champion: version 1" in text_of(page)
    assert '<a href="/models/sum/">sum</a>' in page.text


def test_a_newer_version_than_the_champion_is_told_with_its_state(signed_in: SignedIn, acme: House) -> None:
    from foretell.registry.models import ModelVersion, State

    ready_sum_model(acme, name="sum")
    second = ready_sum_model(acme, name="sum", tweak="another")
    with acme.inside():
        ModelVersion.objects.filter(pk=second.pk).update(state=State.FAILED)

    assert "champion: version 1 version 2: failed" in text_of(signed_in("bob").get("/"))


def test_archived_models_and_those_of_others_are_not_there(signed_in: SignedIn, acme: House, globex: House) -> None:
    from django.utils import timezone

    ready_sum_model(globex, name="secret", by="carol")
    version = ready_sum_model(acme, name="old")
    with acme.inside():
        model = version.model
        model.archived_at = timezone.now() - timedelta(days=1)
        model.save()

    page = signed_in("alice").get("/")

    assert "secret" not in page.text
    assert "/models/old/" not in page.text
    assert "secret" in signed_in("carol", tenant="globex").get("/").text  # the control


def test_the_number_of_queries_does_not_grow_with_the_models(acme: House) -> None:
    ready_sum_model(acme, name="first")
    with_one = queries_of_catalogue(acme)
    for name in ("second", "third", "fourth"):
        ready_sum_model(acme, name=name)

    assert queries_of_catalogue(acme) == with_one


def queries_of_catalogue(house: House) -> int:
    from django.db import connection
    from django.test import RequestFactory
    from django.test.utils import CaptureQueriesContext

    from foretell.web.views.catalogue import catalogue

    request = RequestFactory().get("/", headers={"host": "acme.localhost"})
    request.user = house.user("alice")
    with house.inside(), CaptureQueriesContext(connection) as queries:
        assert catalogue(request).status_code == 200
    return len([query for query in queries if not query["sql"].startswith("SET ")])


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_a_page_number_out_of_place_leads_to_a_page(signed_in: SignedIn, page: str) -> None:
    assert signed_in("bob").get("/", params={"page": page}).status_code == 200


def test_what_people_wrote_is_shown_as_text(signed_in: SignedIn, acme: House) -> None:
    version = ready_sum_model(acme)
    with acme.inside():
        model = version.model
        model.description = "<script>alert(1)</script>"
        model.save()
    client = signed_in("alice")

    for path in ("/", "/models/sum/"):
        page = client.get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


def test_nothing_on_a_page_is_inline_or_from_elsewhere(signed_in: SignedIn, visitor: httpx.Client, acme: House) -> None:
    ready_sum_model(acme)
    client = signed_in("alice")

    for answer in (
        client.get("/"),
        client.get("/models/sum/?example=1"),
        client.get("/nowhere/"),
        visitor.get("/accounts/login/"),
    ):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        page = answer.text.replace("http://acme.localhost", "")
        assert not [word for word in ("<script", "<style", " style=", "http://", "https://", "onclick") if word in page]


def test_the_stylesheet_is_served_to_all_and_loads_nothing_from_elsewhere(visitor: httpx.Client) -> None:
    sheet = visitor.get("/static/web/foretell.css")

    assert sheet.status_code == 200
    assert sheet.headers["content-type"].startswith("text/css")
    assert ":root" in sheet.text
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text

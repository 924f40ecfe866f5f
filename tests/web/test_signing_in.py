import httpx
import pytest

from tests.cast import PASSWORD, House
from tests.http import HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import sign_in, text_of


@pytest.mark.parametrize("path", ["/", "/models/sum/", "/models/nothing-of-the-kind/"])
def test_a_page_asks_to_sign_in_and_comes_back(visitor: httpx.Client, path: str) -> None:
    asked = visitor.get(path)

    assert asked.status_code == 302
    assert asked.headers["location"] == f"/accounts/login/?next={path}"
    assert f'name="next" value="{path}"' in visitor.get(asked.headers["location"]).text


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@acme.example", "Alice@Acme.Example"])
def test_one_signs_in_by_name_or_address_in_any_case(visitor: httpx.Client, name: str) -> None:
    answer = sign_in(visitor, name, PASSWORD, next="/models/sum/")

    assert (answer.status_code, answer.headers["location"]) == (302, "/models/sum/")
    assert "alice" in visitor.get("/").text


def test_a_wrong_password_and_an_unknown_name_read_the_same(visitor: httpx.Client) -> None:
    wrong = text_of(sign_in(visitor, "alice", "not her passphrase"))
    unknown = text_of(sign_in(visitor, "nobody", PASSWORD))

    assert "do not belong together" in wrong
    assert wrong == unknown
    assert visitor.get("/").status_code == 302


@pytest.mark.parametrize("name", ["alice\0", "a" * 10_000, "", "\ud7ff'; --"])
def test_a_name_that_nobody_has_is_refused_whatever_it_is(visitor: httpx.Client, name: str) -> None:
    assert sign_in(visitor, name, PASSWORD).status_code == 200


def test_nobody_signs_in_at_another_tenant(http_for: HttpFor) -> None:
    client = http_for(None, tenant="globex")
    client.headers["Accept"] = "text/html"

    assert "do not belong together" in text_of(sign_in(client, "alice", PASSWORD))
    assert sign_in(client, "carol", PASSWORD).status_code == 302  # the control


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_never_leads_to_another_host(visitor: httpx.Client, place: str) -> None:
    assert sign_in(visitor, "alice", PASSWORD, next=place).headers["location"] == "/"


def test_below_a_prefix_all_links_and_cookies_stay_below_it(visitor: httpx.Client) -> None:
    asked = visitor.get("/t/acme/")
    assert asked.headers["location"] == "/t/acme/accounts/login/?next=/t/acme/"

    answer = sign_in(visitor, "alice", PASSWORD, base="/t/acme", next="/t/acme/models/sum/")

    assert answer.headers["location"] == "/t/acme/models/sum/"
    assert all("Path=/t/acme/" in cookie for cookie in answer.headers.get_list("set-cookie"))
    assert 'href="/t/acme/"' in visitor.get("/t/acme/").text
    assert visitor.get("/").status_code == 302  # that session is not one for the host's own pages


@pytest.mark.parametrize("next", ["/t/globex/", "/t/acme/../globex/", "/t/acme/%2e%2e/globex/"])
def test_below_a_prefix_next_never_leads_out_of_it(visitor: httpx.Client, next: str) -> None:
    answer = sign_in(visitor, "alice", PASSWORD, base="/t/acme", next=next)

    assert answer.headers["location"] == "/t/acme/"


def test_nor_from_a_host_to_another_tenants_prefix(visitor: httpx.Client) -> None:
    assert sign_in(visitor, "alice", PASSWORD, next="/t/globex/").headers["location"] == "/"


def test_who_is_signed_in_is_not_asked_again(signed_in: SignedIn) -> None:
    answer = signed_in("alice").get("/accounts/login/?next=/models/sum/")

    assert (answer.status_code, answer.headers["location"]) == (302, "/models/sum/")


def test_signing_out_ends_the_session_and_needs_a_post(signed_in: SignedIn) -> None:
    client = signed_in("alice")
    token = client.get("/").text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert client.get("/accounts/logout/").status_code == 405
    assert client.get("/").status_code == 200

    answer = client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token})

    assert (answer.status_code, answer.headers["location"]) == (302, "/accounts/login/")
    assert client.get("/").status_code == 302


def test_a_form_without_its_token_is_refused_with_a_page(visitor: httpx.Client) -> None:
    answer = visitor.post("/accounts/login/", data={"username": "alice", "password": PASSWORD})

    assert answer.status_code == 403
    assert "reload the page" in text_of(answer)
    assert visitor.get("/").status_code == 302


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(visitor: httpx.Client) -> None:
    cookies = sign_in(visitor, "alice", PASSWORD).headers.get_list("set-cookie")

    session = next(cookie for cookie in cookies if cookie.startswith("foretell-session="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Domain" not in session


def test_a_suspended_tenant_is_a_page_that_says_so(visitor: httpx.Client, acme: House) -> None:
    from django.utils import timezone

    from foretell.tenants.services import suspend_tenant

    suspend_tenant(tenant=acme.tenant, now=timezone.now())

    for path in ("/", "/t/acme/", "/accounts/login/"):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert "suspended" in text_of(answer)

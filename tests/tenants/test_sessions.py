"""A session, a cookie and a signature hold at their own tenant and nowhere else."""

from django.contrib.sessions.backends import db
from django.core import signing
from django.http import HttpResponse
from django.test import override_settings

from foretell.tenants import cookies
from tests.cast import PASSWORD, Cast
from tests.http import HttpFor
from tests.web.pages import sign_in


def copy_session_and_person(cast: Cast, session_key: str) -> None:
    """Put acme's session and Alice herself, id and password hash and all, into globex's schema, as a faulty restore would."""
    from django.contrib.sessions.models import Session

    from foretell.accounts.models import User

    with cast.acme.inside():
        session, alice = Session.objects.get(session_key=session_key), User.objects.get(username="alice")
    with cast.globex.inside():
        User.objects.bulk_create([alice])
        Session.objects.bulk_create([session])


def is_signed_in(http_for: HttpFor, tenant: str, session_key: str) -> bool:
    client = http_for(None, tenant=tenant)
    return (
        client.get("/", headers={"Cookie": f"foretell-session={session_key}", "Accept": "text/html"}).status_code == 200
    )


def alices_session(http_for: HttpFor) -> str:
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"
    sign_in(client, "alice", PASSWORD)
    return str(client.cookies["foretell-session"])


def test_a_session_is_nobodys_at_another_tenant_even_where_its_row_is(http_for: HttpFor, cast: Cast) -> None:
    key = alices_session(http_for)
    copy_session_and_person(cast, key)

    assert is_signed_in(http_for, "acme", key)
    assert not is_signed_in(http_for, "globex", key)


def read_elsewhere(cast: Cast, store: type[db.SessionStore]) -> dict[str, object]:
    """Make a session in acme, copy its row, and read it in globex."""
    with cast.acme.inside():
        session = store()
        session["who"] = "alice"
        session.create()
    copy_session_and_person(cast, str(session.session_key))
    with cast.globex.inside():
        return dict(store(session.session_key).load())


def test_control_with_djangos_own_sessions_it_would_be_hers(cast: Cast) -> None:
    from foretell.tenants.sessions import SessionStore

    assert read_elsewhere(cast, db.SessionStore) == {"who": "alice"}
    cast.globex.reset()
    assert read_elsewhere(cast, SessionStore) == {}


def test_two_tenants_of_one_host_each_keep_their_own_session(http_for: HttpFor) -> None:
    client = http_for(None, tenant="acme")
    client.headers["Accept"] = "text/html"

    sign_in(client, "alice", PASSWORD, base="/t/acme")
    sign_in(client, "carol", PASSWORD, base="/t/globex")
    sign_in(client, "bob", PASSWORD)

    assert "alice" in client.get("/t/acme/").text
    assert "carol" in client.get("/t/globex/").text
    assert "bob" in client.get("/").text


def test_over_https_the_cookies_are_the_hosts_own_and_below_a_prefix_the_prefixes(http_for: HttpFor) -> None:
    with override_settings(CSRF_COOKIE_NAME="__Host-foretell-csrf", CSRF_COOKIE_SECURE=True):
        at_host = http_for(None).get("/accounts/login/").headers["Set-Cookie"]
        below = http_for(None).get("/t/acme/accounts/login/").headers["Set-Cookie"]

    assert at_host.startswith("__Host-foretell-csrf=")
    assert "Path=/;" in at_host
    assert below.startswith("__Secure-foretell-csrf=")
    assert "Path=/t/acme/;" in below
    assert "Secure" in at_host
    assert "Secure" in below


def test_below_a_prefix_the_hosts_own_cookie_is_another_tenants() -> None:
    read = cookies.read_below_prefix("__Host-session=hosts; __Secure-session=ours; plain=x; plain=of a shorter path")

    assert read == {"__Host-session": "ours", "plain": "x"}
    assert cookies.read_below_prefix("__Host-session=hosts") == {}


def test_a_cookie_that_is_moved_keeps_its_value_and_its_marks() -> None:
    response = HttpResponse()
    response.set_cookie("__Host-session", 'va"lue', httponly=True, secure=True, samesite="Lax", max_age=60)

    cookies.move_below_prefix(response, "/t/acme")

    assert list(response.cookies) == ["__Secure-session"]
    moved = response.cookies["__Secure-session"]
    assert (moved.value, moved["path"], moved["httponly"], moved["secure"], moved["samesite"], moved["max-age"]) == (
        'va"lue', "/t/acme/", True, True, "Lax", 60,
    )  # fmt: skip


def test_control_djangos_own_signer_crosses_tenants(cast: Cast) -> None:
    with cast.acme.inside():
        signed = signing.TimestampSigner(salt="invite").sign("5")
    with cast.globex.inside():
        assert signing.TimestampSigner(salt="invite").unsign(signed) == "5"

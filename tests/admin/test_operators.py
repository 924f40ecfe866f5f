"""The operators' admin: on its own host, by a link that works once, and for nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.admin.operators import sessions
from foretell.admin.operators.links import link_of
from foretell.admin.operators.models import OperatorSession
from foretell.audit.installation.models import InstallationEntry
from foretell.core.tenancy import use_public
from foretell.tenants.models import Plan, Tenant
from tests.admin.pages import body_of, operator_pages
from tests.cast import PASSWORD, House
from tests.http import FreshTransport, HttpFor
from tests.web.conftest import SignedIn
from tests.web.pages import csrf_token

HOST = "operators.localhost"
ROOT = f"http://{HOST}"


@pytest.fixture(autouse=True)
def operators_host(monkeypatch: pytest.MonkeyPatch, cast: Any) -> Iterator[None]:
    from django.conf import settings

    monkeypatch.setattr(settings, "OPERATORS_HOST", HOST)
    yield
    with use_public():
        OperatorSession.objects.all().delete()
        Tenant.objects.update(plan=None)
        Plan.objects.all().delete()


def visitor() -> httpx.Client:
    from foretell.config.asgi import application

    return httpx.Client(transport=FreshTransport(application), base_url=ROOT, headers={"Accept": "text/html"})


@pytest.fixture
def stranger() -> httpx.Client:
    return visitor()


def link(lifetime: timedelta = sessions.LINK_LIFETIME) -> str:
    _, secret = sessions.make_link(operator="olga", now=timezone.now(), lifetime=lifetime)
    return re.sub(r"^https?://[^/]+", "", link_of(secret))


def entered(client: httpx.Client, path: str) -> httpx.Response:
    return client.post(path, data={"csrfmiddlewaretoken": csrf_token(client.get(path).text)})


@pytest.fixture
def olga(stranger: httpx.Client) -> httpx.Client:
    assert entered(stranger, link()).status_code == 302
    return stranger


def said() -> Any:
    with use_public():
        return InstallationEntry.objects.exclude(position=None).order_by("-position")[0]


def sent(client: httpx.Client, path: str, fields: dict[str, str]) -> httpx.Response:
    return client.post(path, data={"csrfmiddlewaretoken": csrf_token(client.get(path).text), **fields})


def test_without_a_host_of_its_own_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    path = link()
    monkeypatch.setattr(settings, "OPERATORS_HOST", "")

    assert {visitor().get(place).status_code for place in ("/admin/", path)} == {404}


def test_an_operator_sees_every_page(olga: httpx.Client, acme: House) -> None:
    pages = operator_pages(acme)

    answers = {name: olga.get(path).status_code for name, path in pages.items()}

    assert {name: status for name, status in answers.items() if status != 200} == {}


def test_a_stranger_sees_of_every_page_that_it_is_closed(stranger: httpx.Client, acme: House) -> None:
    answers = {(stranger.get(path).status_code, body_of(stranger, path)) for path in operator_pages(acme).values()}

    assert len(answers) == 1
    ((status, body),) = answers
    assert status == 403
    assert "foretell operator link" in body


def test_control_without_the_door_a_stranger_comes_in(stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foretell.admin.operators.site.session_of", lambda *_, **__: OperatorSession(operator="x"))

    assert stranger.get("/admin/").status_code == 200


def test_a_link_works_once(stranger: httpx.Client) -> None:
    path = link()

    assert entered(stranger, path).headers["Location"] == "/admin/"
    assert entered(visitor(), path).status_code == 404
    assert stranger.get("/admin/").status_code == 200


def test_looking_at_a_link_spends_nothing(stranger: httpx.Client) -> None:
    path = link()
    for _ in range(3):
        stranger.get(path)

    assert entered(stranger, path).status_code == 302


@pytest.mark.parametrize("why", ["expired", "taken back", "made up"])
def test_a_link_that_is_over_opens_nothing_and_says_nothing_of_why(stranger: httpx.Client, why: str) -> None:
    path = link(timedelta(seconds=-1) if why == "expired" else sessions.LINK_LIFETIME)
    if why == "taken back":
        sessions.end_all(now=timezone.now())
    if why == "made up":
        path = path[:-3] + "AA/"

    answer = entered(stranger, path)

    assert answer.status_code == 404
    assert "was used, is too old, or was taken back" in answer.text
    assert stranger.get("/admin/").status_code == 403


def test_a_session_ends_by_itself_by_the_operator_and_by_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = visitor(), visitor(), visitor()
    for client in (first, second, third):
        entered(client, link())

    with use_public():
        newest = OperatorSession.objects.order_by("-entered_at").first()
        OperatorSession.objects.filter(pk=newest.pk).update(expires_at=timezone.now())  # type: ignore[union-attr]
    assert third.get("/admin/").status_code == 403
    second.post("/admin/leave/", data={"csrfmiddlewaretoken": csrf_token(second.get("/admin/").text)})
    assert second.get("/admin/").status_code == 403
    assert first.get("/admin/").status_code == 200
    assert sessions.end_all(now=timezone.now()) == 1
    assert first.get("/admin/").status_code == 403


def test_neither_the_link_nor_the_cookie_is_stored(olga: httpx.Client) -> None:
    (kept,) = [cookie.value or "" for cookie in olga.cookies.jar if "operator" in cookie.name]

    with use_public():
        row = OperatorSession.objects.values().get()
    assert kept not in str(row)
    assert str(row["digest"]) not in olga.get("/admin/").text


def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: httpx.Client) -> None:
    cookie = entered(stranger, link()).headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_guesses_are_limited_before_anything_is_looked_up(
    stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def digest_of(secret: str) -> str:
        looked.append(secret)
        return "0"

    monkeypatch.setattr(sessions, "digest_of", digest_of)
    token = csrf_token(stranger.get("/admin/enter/x/").text)

    statuses = [stranger.post("/admin/enter/x/", data={"csrfmiddlewaretoken": token}).status_code for _ in range(42)]

    assert statuses == [404] * 40 + [429] * 2
    assert len(looked) == 40


def test_nothing_of_a_tenants_is_at_this_host(olga: httpx.Client, acme: House) -> None:
    for path in ("/", "/accounts/login/", "/t/acme/", "/t/acme/admin/", "/settings/", "/api/v1/models/", "/api/token/"):
        assert olga.get(path).status_code == 404, path
        assert olga.post(path, headers={"Idempotency-Key": "k", "Origin": "http://x.example"}).status_code == 404, path
    assert olga.get("/admin/accounts/user/").status_code == 404


def test_a_tenants_session_opens_nothing_here_and_an_operators_nothing_there(
    olga: httpx.Client, signed_in: SignedIn, http_for: HttpFor
) -> None:
    theirs = {cookie.name: cookie.value or "" for cookie in signed_in("alice").cookies.jar}
    ours = {cookie.name: cookie.value or "" for cookie in olga.cookies.jar}

    assert httpx.Client(transport=olga._transport, cookies=theirs).get(f"{ROOT}/admin/").status_code == 403
    answer = httpx.Client(transport=olga._transport, cookies=ours).get("http://acme.localhost/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/admin/")
    assert http_for("alice").get(f"{ROOT}/admin/").status_code == 403
    assert http_for(None).get(f"{ROOT}/admin/", auth=("alice", PASSWORD)).status_code == 403


def test_the_doctor_tells_of_a_host_that_is_a_tenants_as_well(monkeypatch: pytest.MonkeyPatch, acme: House) -> None:
    from django.conf import settings

    from foretell.cli.server.doctor import _operators

    assert [finding.state for finding in _operators()] == ["ok"]
    monkeypatch.setattr(settings, "OPERATORS_HOST", "acme.localhost")

    (finding,) = _operators()

    assert (finding.state, "acme's" in finding.detail) == ("fail", True)


def test_a_tenant_that_is_to_be_deleted_is_resumed_or_left_alone(olga: httpx.Client, acme: House) -> None:
    from foretell.tenants.deleting import schedule_deletion

    path = f"/admin/tenants/tenant/{acme.tenant.pk}/change/"
    schedule_deletion(tenant=acme.tenant, now=timezone.now(), grace=timedelta(days=7))

    assert "It is to be deleted" in sent(olga, path, tenant_form(is_suspended="on", reason="else")).text
    assert said().action == "tenant.deletion_scheduled"
    assert sent(olga, path, tenant_form(is_suspended="on", **reason_on(olga.get(path).text))).status_code == 302
    assert said().action == "tenant.deletion_scheduled"
    assert sent(olga, path, tenant_form()).status_code == 302
    assert said().action == "tenant.resumed"


def test_no_tenant_gets_the_operators_host(cast: Any) -> None:
    from foretell.tenants.services import InvalidTenant, create_tenant

    with pytest.raises(InvalidTenant, match="operators' admin"):
        create_tenant(name="initech", domains=[HOST])
    with pytest.raises(InvalidTenant, match="operators' admin"):
        create_tenant(name="operators")


def test_a_tenant_is_suspended_and_served_again(olga: httpx.Client, acme: House, http_for: HttpFor) -> None:
    path = f"/admin/tenants/tenant/{acme.tenant.pk}/change/"

    answer = sent(olga, path, tenant_form(is_suspended="on", reason="unpaid"))

    assert answer.status_code == 302, answer.text
    assert http_for("alice").get("/api/v1/me/").status_code == 403
    assert (said().action, said().actor_name, said().face, said().credential) == (
        "tenant.suspended",
        "olga",
        "admin",
        "session",
    )
    assert sent(olga, path, tenant_form()).status_code == 302
    assert http_for("alice").get("/api/v1/me/").status_code == 200
    assert said().action == "tenant.resumed"


def test_a_plan_is_made_given_changed_and_deleted_when_no_tenant_has_it(olga: httpx.Client, acme: House) -> None:
    tenant = f"/admin/tenants/tenant/{acme.tenant.pk}/change/"

    assert sent(olga, "/admin/tenants/plan/add/", {"name": "small", "user": "5/s"}).status_code == 302
    assert said().action == "plan.made"
    assert sent(olga, "/admin/tenants/plan/small/change/", {"user": "6/s", "rows_per_month": "9"}).status_code == 302
    assert said().after == {"limits": {"user": "6/s", "rows_per_month": 9}}
    assert sent(olga, tenant, tenant_form(plan_name="small")).status_code == 302
    assert said().action == "tenant.planned"
    assert "Tenants have the plan" in follow(olga, sent(olga, "/admin/tenants/plan/small/delete/", {"post": "yes"}))
    assert sent(olga, tenant, tenant_form()).status_code == 302
    assert sent(olga, "/admin/tenants/plan/small/delete/", {"post": "yes"}).status_code == 302
    assert said().action == "plan.deleted"


def test_limits_and_the_log_of_a_tenant_are_changed(olga: httpx.Client, acme: House) -> None:
    path = f"/admin/tenants/tenant/{acme.tenant.pk}/change/"

    sent(olga, path, tenant_form(key="7/s", log_retention_days="3"))

    with use_public():
        changed = Tenant.objects.get(pk=acme.tenant.pk)
        assert (changed.own_limits, changed.log_retention_days) == ({"key": "7/s"}, 3)
        changed.log_retention_days = 90
        changed.save()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"key": "fast"}, "fast"),
        ({"rows_per_month": "-1"}, "expected a whole number"),
        ({"is_suspended": "on", "until": "2001-01-01 00:00:00"}, "is over already"),
        ({"plan_name": "none"}, "not one of the available choices"),
    ],
)
def test_what_a_service_refuses_is_told_in_the_form_and_nothing_is_changed(
    olga: httpx.Client, acme: House, fields: dict[str, str], told: str
) -> None:
    before = said().position

    answer = sent(olga, f"/admin/tenants/tenant/{acme.tenant.pk}/change/", tenant_form(**fields))

    assert answer.status_code == 200
    assert told in answer.text
    assert said().position == before


def test_health_tells_of_each_tenant_its_schema_and_its_last_prediction(olga: httpx.Client, acme: House) -> None:
    from tests.logged import logged_prediction

    made = logged_prediction(acme, by="alice")

    page = olga.get("/admin/health/").text

    assert f"{made.at:%Y-%m-%d %H:%M:%S}" in page
    assert page.count("<td>current</td>") >= 2
    for fact in ("worker", "prediction log", "waits to be drained", "disk"):
        assert fact in page


def test_health_tells_of_a_schema_that_is_behind(
    olga: httpx.Client, acme: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foretell.admin.operators.health.missing_of", lambda names: dict.fromkeys(names, 3))

    assert "3 migrations behind" in olga.get("/admin/health/").text


def test_without_a_host_the_command_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.conf import settings

    from foretell.cli import app as cli

    monkeypatch.setattr(settings, "OPERATORS_HOST", "")
    monkeypatch.setattr("sys.argv", ["foretell", "operator", "link"])

    with pytest.raises(SystemExit) as caught:
        cli.run()

    assert caught.value.code == cli.EXIT_INVALID
    assert "FORETELL_OPERATORS_HOST" in capsys.readouterr().err


def test_every_way_in_and_out_is_audited(stranger: httpx.Client) -> None:
    path = link()
    made = said()
    entered(stranger, path)
    came = said()
    stranger.post("/admin/leave/", data={"csrfmiddlewaretoken": csrf_token(stranger.get("/admin/").text)})
    left = said()

    assert [entry.action for entry in (made, came, left)] == [
        "operator.link_made",
        "operator.entered",
        "operator.ended",
    ]
    assert {entry.target_id for entry in (made, came, left)} == {made.target_id}
    assert (came.actor_name, came.credential, came.face) == ("olga", "link", "admin")


def tenant_form(**fields: str) -> dict[str, str]:
    return {"log_policy": "required", "log_retention_days": "90", **fields}


def reason_on(page: str) -> dict[str, str]:
    found = re.search(r'name="reason" value="([^"]*)"', page)
    return {"reason": found[1] if found else ""}


def follow(client: httpx.Client, answer: httpx.Response) -> str:
    return client.get(answer.headers["Location"]).text

"""The matrix of permissions for what is not asked by a key: every page by every role's session, and every stream by every role's token."""

from collections.abc import Mapping

import pytest
from django.utils import timezone

from tests.isolation.asking import STREAM, Request
from tests.isolation.calling import Call
from tests.isolation.calls import calls
from tests.isolation.twins import Twin, bearer, session_of, session_shown
from tests.isolation.world import Ask, asked, runner, twins  # noqa: F401  fixtures are used by name

ROLES = {"bob": "viewer", "erin": "editor", "adam": "admin", "alice": "owner"}
OWNERS = {"web:transfer", "web:identity", "web:identity-provider"}
ADMINS = {
    "web:access", "web:sign-up-policy", "web:members", "web:member", "web:member-remove", "web:invitations", "web:invitation-revoke",
    "web:audit",
}  # fmt: skip
EVERYBODY = {
    "web:catalogue", "web:model", "web:promotions", "web:settings", "web:account", "web:sessions", "web:session-end", "web:keys", "web:leave",
    "web:invitation", "web:login", "web:logout",
}  # fmt: skip
# Of somebody else's: not there for those who do not manage them.
OF_OTHERS = {"web:key-roll", "web:key-revoke"}
# What decides is the model that it is about (tests/registry/test_promotions.py), and the answer to all others is one.
BY_MODEL = {"web:promotion"}
FLOWS = (
    "account_",
    "mfa_",
    "identity_",
    "openid_connect_",
)  # one's own account, or nobody's yet: no role gives or takes them
PAGES = [call for call in calls() if call.is_page and call.route not in BY_MODEL]
STREAMS = [call for call in calls() if call.method == STREAM]


@pytest.fixture(scope="module")
def shown(twins: tuple[Twin, Twin]) -> dict[str, Mapping[str, str]]:  # noqa: F811
    castor, _ = twins
    with castor.house.inside():
        return {name: {**session_shown(session_of(castor.house.user(name))), "Accept": "text/html"} for name in ROLES}


def refused_to(route: str) -> tuple[int, set[str]]:
    """Return how a page is refused, and to whom."""
    if route in OWNERS:
        return 403, {"bob", "erin", "adam"}
    if route in ADMINS or route.startswith("admin:"):
        return 403, {"bob", "erin"}
    return 404, {"bob", "erin"} if route in OF_OTHERS else set()


@pytest.mark.parametrize("call", [call for call in PAGES if call.method == "GET"], ids=str)
def test_a_page_is_there_for_the_roles_that_it_is_for(
    twins: tuple[Twin, Twin], asked: Ask, shown: dict[str, Mapping[str, str]], call: Call  # noqa: F811
) -> None:  # fmt: skip
    refusal, who = refused_to(call.route)

    statuses = {name: asked(Request("GET", call.path, twins[0].host, shown[name])).status for name in ROLES}

    assert {name for name, status in statuses.items() if status == 403} == (who if refusal == 403 else set())
    assert {name: status for name, status in statuses.items() if name in who} == dict.fromkeys(who, refusal)


@pytest.mark.parametrize("call", [call for call in PAGES if call.is_write and refused_to(call.route)[1]], ids=str)
def test_a_form_is_refused_to_those_for_whom_its_page_is_not(
    twins: tuple[Twin, Twin], asked: Ask, shown: dict[str, Mapping[str, str]], call: Call  # noqa: F811
) -> None:  # fmt: skip
    refusal, who = refused_to(call.route)

    for name in who:
        assert asked(Request("POST", call.path, twins[0].host, shown[name], call.options)).status == refusal, name


def test_every_page_is_said_whose_it_is() -> None:
    known = OWNERS | ADMINS | EVERYBODY | OF_OTHERS

    unknown = {
        call.route for call in PAGES if call.route not in known and not call.route.startswith(("admin:", *FLOWS))
    }

    assert not unknown, f"Say in one of the lists above for whom these pages are: {sorted(unknown)}"


@pytest.mark.parametrize("call", STREAMS, ids=str)
def test_every_role_asks_a_model_over_a_stream_and_a_stranger_does_not(
    twins: tuple[Twin, Twin], asked: Ask, call: Call  # noqa: F811
) -> None:  # fmt: skip
    from foretell.accounts.tokens.services import sign_in

    castor, pollux = twins
    with castor.house.inside():
        tokens = {name: bearer(sign_in(user=castor.house.user(name), now=timezone.now()).access) for name in ROLES}

    for name, token in tokens.items():
        assert b'"prediction":3.0' in asked(Request(STREAM, call.path, castor.host, token)).body, name
    for nobody in ({}, pollux.shown["key"], pollux.shown["token"]):
        answer = asked(Request(STREAM, call.path, castor.host, nobody))
        assert b"prediction" not in answer.body
        assert b'"status":401' in answer.body

"""Every command of an operator that changes something leaves a row of the audit; one without a place here fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from foretell.accounts.models import User
from foretell.audit.installation.models import InstallationEntry
from foretell.audit.models import Entry
from foretell.cli import app as cli
from foretell.core.tenancy import use_public, use_tenant
from tests.cast import PASSWORD
from tests.test_documents import commands

T = ("--tenant", "initech")


@dataclass(frozen=True)
class Recipe:
    """What to type, `{…}` filled in; and what the audit then says: the tenant's, or the installation's own."""

    action: str
    typed: str
    first: str = ""
    is_installations: bool = False


# fmt: off
RECIPES = {
    "tenant limits": Recipe("tenant.limited", "tenant limits initech --user 5/s", is_installations=True),
    "tenant log": Recipe("tenant.log_changed", "tenant log initech --retention-days 3", is_installations=True),
    "tenant plan": Recipe("tenant.planned", "tenant plan initech tiny", first="plan set tiny --user 5/s", is_installations=True),
    "tenant sign-up": Recipe("tenant.sign_up_changed", "tenant sign-up initech open"),
    "tenant suspend": Recipe("tenant.suspended", "tenant suspend initech", is_installations=True),
    "tenant resume": Recipe("tenant.resumed", "tenant resume initech", first="tenant suspend initech", is_installations=True),
    "tenant delete": Recipe("tenant.deleted", "tenant delete initech --now --yes", is_installations=True),
    "tenant create": Recipe("tenant.created", "tenant create initrode", is_installations=True),
    "tenant export": Recipe("tenant.exported", "tenant export initech {tmp}/initech.tar.gz", is_installations=True),
    "tenant import": Recipe(
        "tenant.imported", "tenant import {tmp}/initech.tar.gz", first="tenant export initech {tmp}/initech.tar.gz; tenant delete initech --now --yes",
        is_installations=True,
    ),
    "plan set": Recipe("plan.changed", "plan set tiny --user 6/s", first="plan set tiny --user 5/s", is_installations=True),
    "plan delete": Recipe("plan.deleted", "plan delete tiny", first="plan set tiny --user 5/s", is_installations=True),
    "user create": Recipe("user.created", "user create milton --email milton@initech.example"),
    "user passwd": Recipe("user.password_changed", "user passwd bill"),
    "user role": Recipe("user.role_changed", "user role bill editor"),
    "user responsible": Recipe("user.responsible_changed", "user responsible ci bill", first="user role bill admin; user create ci --service --responsible owner"),
    "user deactivate": Recipe("user.deactivated", "user deactivate bill"),
    "user reactivate": Recipe("user.reactivated", "user reactivate bill", first="user deactivate bill"),
    "user reset-mfa": Recipe("mfa.reset", "user reset-mfa bill"),
    "user sign-out": Recipe("session.all_ended", "user sign-out bill"),
    "user verify": Recipe("user.email_verified", "user verify una"),
    "user remove": Recipe("user.removed", "user remove bill --yes"),
    "user invite": Recipe("invitation.created", "user invite milton@initech.example"),
    "user uninvite": Recipe("invitation.revoked", "user uninvite milton@initech.example", first="user invite milton@initech.example"),
    "identity set": Recipe("identity_provider.set", "identity set work --issuer https://id.example --client-id foretell"),
    "identity remove": Recipe(
        "identity_provider.removed", "identity remove work", first="identity set work --issuer https://id.example --client-id foretell"
    ),
    "key create": Recipe("key.created", "key create --user bill --scope predict"),
    "key roll": Recipe("key.rolled", "key roll {key}"),
    "key revoke": Recipe("key.revoked", "key revoke {key}"),
    "access set": Recipe("model.access_changed", "access set sum --restricted"),
    "access grant": Recipe("grant.given", "access grant sum bill --may push"),
    "access take": Recipe("grant.taken", "access take sum bill", first="access grant sum bill --may push"),
    "token rotate": Recipe("signing_key.created", "token rotate"),
    "token revoke": Recipe("token.all_revoked", "token revoke bill"),
    "operator link": Recipe("operator.link_made", "operator link", is_installations=True),
    "operator end": Recipe("operator.ended", "operator end", first="operator link", is_installations=True),
    "audit anchor": Recipe("audit.accepted", "audit anchor"),
    "audit prune": Recipe("audit.pruned", "audit prune --before 2100-01-01 --yes"),
}
# fmt: on
OF_TENANTS = ("user", "identity", "key", "access", "token", "audit")  # take --tenant
READ = {
    "tenant list", "tenant usage", "plan list", "user list", "user invitations", "identity list", "key list", "access show", "token keys", "audit verify",
    "audit export", "doctor",
}  # fmt: skip
#: Processes, and Django's own commands; what they serve is in the other tests.
PROCESSES = {"up", "web", "worker", "sandbox", "manage", "migrate"}
#: By REST, with a credential: `test_every_change`.
CLIENT = {
    "login", "push", "models", "versions", "show", "promote", "rollback", "promotions", "approve", "decline", "withdraw", "predict", "logs",
}  # fmt: skip


def run(monkeypatch: pytest.MonkeyPatch, typed: str, **places: Any) -> None:
    for command in filter(None, typed.split("; ")):
        words = command.format(**places).split()
        monkeypatch.setattr("sys.argv", ["foretell", *words, *(T if words[0] in OF_TENANTS else ())])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        assert not caught.value.code, command


@pytest.fixture
def initech(cast: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A tenant with an owner, and with Bill, who has a key and an authenticator app."""
    from allauth.mfa.models import Authenticator

    from foretell.accounts.services import create_key, create_user
    from foretell.tenants.services import get_tenant
    from tests.cast import House
    from tests.models import ready_sum_model

    monkeypatch.setattr("django.conf.settings.OPERATORS_HOST", "operators.localhost")
    run(monkeypatch, "tenant create initech")
    tenant = get_tenant("initech")
    with use_tenant(tenant):
        bill = create_user(username="bill", email="bill@initech.example", password=PASSWORD)
        create_user(username="una", email="una@initech.example", password=PASSWORD, is_email_verified=False)
        create_key(user=bill, name="k", scopes=["predict"])
        Authenticator.objects.create(user=bill, type="totp", data={"secret": "sealed"})
    ready_sum_model(House(tenant=tenant, people={}), by="owner")
    yield tenant
    for name in ("initech", "initrode"):
        monkeypatch.setattr("sys.argv", ["foretell", "tenant", "delete", name, "--now", "--yes"])
        with pytest.raises(SystemExit):
            cli.run()
    monkeypatch.setattr("sys.argv", ["foretell", "plan", "delete", "tiny"])
    with pytest.raises(SystemExit):
        cli.run()


@pytest.mark.parametrize("command", sorted(RECIPES))
def test_a_command_that_changes_something_leaves_a_row(
    initech: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    recipe = RECIPES[command]
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "another long passphrase")
    places = {"tmp": tmp_path, "key": key_of_bill(initech)}
    run(monkeypatch, recipe.first, **places)
    end = len(rows(initech, recipe))

    run(monkeypatch, recipe.typed, **places)

    new = rows(initech, recipe) if command == "audit prune" else rows(initech, recipe)[end:]
    assert recipe.action in [row.action for row in new]
    assert {(row.credential, row.face, bool(row.actor_name)) for row in new} == {("cli", "cli", True)}


def test_every_command_has_its_place() -> None:
    placed = [set(RECIPES), READ, PROCESSES, CLIENT]

    assert set(commands()) == set().union(*placed)
    assert sum(map(len, placed)) == len(set().union(*placed))


def rows(tenant: Any, recipe: Recipe) -> list[Any]:
    if recipe.is_installations:
        with use_public():
            return list(InstallationEntry.objects.order_by("position"))
    with use_tenant(tenant):
        return list(Entry.objects.order_by("position"))


def key_of_bill(tenant: Any) -> str:
    with use_tenant(tenant):
        key: str = User.objects.get(username="bill").api_keys.get().key_id
        return key

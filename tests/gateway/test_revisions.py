"""Each committed change of what is kept in memory has a new number; what is no change has none, and nobody waits for a number."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.utils import timezone

from foretell.accounts.grants import change_policy
from foretell.accounts.invitations import invite
from foretell.accounts.models import APIKey, ModelGrant, User
from foretell.accounts.services import create_key, create_user
from foretell.accounts.tokens.models import TokenFamily
from foretell.accounts.tokens.services import end_all, sign_in
from foretell.accounts.tokens.signing_keys import rotate
from foretell.core.cross_origin.models import AllowedOrigin
from foretell.core.tenancy import as_owner, use_public
from foretell.gateway.reading import read_heads, read_tenant
from foretell.registry.models import Alias, ModelVersion, RegisteredModel
from foretell.tenants.models import Domain, Revision, Tenant
from tests.cast import House
from tests.models import ready_sum_model


def number(house: House) -> int:
    with use_public():
        return Revision.objects.get(schema_name=house.tenant.schema_name).number


def suspend(house: House) -> None:
    with use_public():
        Tenant.objects.filter(pk=house.tenant.pk).update(suspended_at=timezone.now())


def add_domain(house: House) -> None:
    with use_public():
        Domain.objects.create(tenant=house.tenant, domain="new.acme.example", is_primary=False)
        Domain.objects.filter(domain="new.acme.example").delete()


def truncate(house: House) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE registry_alias")


CHANGES: dict[str, Callable[[House], object]] = {
    "a role": lambda house: User.objects.filter(username="bob").update(role="editor"),
    "an end of access": lambda house: User.objects.filter(username="bob").update(is_active=False),
    "tokens that end": lambda house: end_all(user=house.user("bob")),
    "a signing key": lambda house: rotate(now=timezone.now()),
    "a family of tokens that ends": lambda house: TokenFamily.objects.update(revoked_at=timezone.now()),
    "a password": lambda house: User.objects.filter(username="temp").update(password="!"),
    "an address that is not verified": lambda house: User.objects.filter(username="bob").update(email_verified_at=None),
    "a second factor": lambda house: Authenticator.objects.create(
        user=house.user("bob"), type="webauthn", data={"name": "k"}
    ),
    "a second factor that is gone": lambda house: Authenticator.objects.all().delete(),
    "somebody new": lambda house: create_user(username="new", email="n@n.example", password="a long passphrase here"),
    "a key": lambda house: create_key(user=house.user("bob"), name="k", scopes=["predict"]),
    "a grant": lambda house: ModelGrant.objects.create(user=house.user("bob"), model_name="sum", actions=["push"]),
    "another grant": lambda house: ModelGrant.objects.update(actions=["predict"]),
    "a model that is restricted": lambda house: change_policy(model="sum", restricted=True),
    "a revoked key": lambda house: APIKey.objects.update(revoked_at=timezone.now()),
    "a narrowed key": lambda house: APIKey.objects.update(scopes=["predict"]),
    "a key limited to models": lambda house: APIKey.objects.update(model_names=["sum"]),
    "keys changed in bulk": lambda house: APIKey.objects.bulk_update(
        [APIKey(key_id=house.people["bob"].key_id, expires_at=timezone.now())], ["expires_at"]
    ),
    "an archived model": lambda house: RegisteredModel.objects.update(archived_at=timezone.now()),
    "a model's limit": lambda house: RegisteredModel.objects.update(limit_scope="burst"),
    "what is logged of a model": lambda house: RegisteredModel.objects.update(log_payload="none"),
    "a version's state": lambda house: ModelVersion.objects.update(state="failed"),
    "a version": lambda house: ready_sum_model(house, tweak="another"),
    "an alias": lambda house: Alias.objects.update(name="other"),
    "an alias that is deleted": lambda house: Alias.objects.all().delete(),
    "all aliases at once": truncate,
    "a site whose pages are let in": lambda house: AllowedOrigin.objects.create(origin="https://a.example"),
    "a suspended tenant": suspend,
    "a domain": add_domain,
}
NO_CHANGES: dict[str, Callable[[House], object]] = {
    "a key was used": lambda house: APIKey.objects.update(last_used_at=timezone.now()),
    "somebody signed in for tokens": lambda house: sign_in(user=house.user("erin"), now=timezone.now()),
    "a second factor was used": lambda house: Authenticator.objects.update(last_used_at=timezone.now(), data={}),
    "somebody refreshed": lambda house: TokenFamily.objects.update(number=7, rotated_at=timezone.now()),
    "somebody signed in": lambda house: User.objects.update(last_login=timezone.now()),
    "a lease was renewed": lambda house: ModelVersion.objects.update(lease_expires_at=timezone.now()),
    "somebody was invited": lambda house: invite(email="i@i.example", now=timezone.now()),
    "a model was described": lambda house: RegisteredModel.objects.update(description="new words"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_is_kept_in_memory_has_a_new_number(acme: House, change: str) -> None:
    ready_sum_model(acme)
    with acme.inside():
        User.objects.create(username="temp", email="temp@acme.example")
        ModelGrant.objects.create(user=acme.user("bob"), model_name="other", actions=["push"])
        Authenticator.objects.create(user=acme.user("erin"), type="webauthn", data={"name": "k"})
        sign_in(user=acme.user("bob"), now=timezone.now())
    before = number(acme)

    with acme.inside():
        CHANGES[change](acme)

    assert number(acme) > before


@pytest.mark.parametrize("change", NO_CHANGES)
def test_what_is_no_change_to_it_has_none(acme: House, change: str) -> None:
    ready_sum_model(acme)
    with acme.inside():
        sign_in(user=acme.user("bob"), now=timezone.now())
    before = number(acme)

    with acme.inside():
        NO_CHANGES[change](acme)

    assert number(acme) == before


def test_what_is_rolled_back_has_none_and_a_transaction_has_one(acme: House, globex: House) -> None:
    before, others = number(acme), number(globex)

    with acme.inside(), transaction.atomic():
        User.objects.update(role="viewer")
        transaction.set_rollback(True)
    assert number(acme) == before

    with acme.inside(), transaction.atomic():
        for _ in range(5):
            User.objects.filter(username="bob").update(role="editor")
            User.objects.filter(username="bob").update(role="viewer")
        assert number(acme) == before, "the row is touched only when the transaction commits"
    assert number(acme) > before
    assert number(globex) == others


def test_a_tenant_that_is_deleted_takes_its_number_along(acme: House) -> None:
    from foretell.tenants.deleting import delete_tenant
    from foretell.tenants.services import create_tenant

    tenant = create_tenant(name="shortlived")
    with use_public():
        assert Revision.objects.filter(schema_name=tenant.schema_name).exists()

    delete_tenant(tenant=tenant)

    with use_public():
        assert not Revision.objects.filter(schema_name=tenant.schema_name).exists()


def test_nobody_waits_behind_a_long_transaction_that_changed_something(acme: House) -> None:
    with acme.inside(), transaction.atomic():
        User.objects.filter(username="bob").update(role="editor")

        in_thread(
            lambda: APIKey.objects.filter(key_id=acme.people["erin"].key_id).update(revoked_at=timezone.now()), acme
        )


def test_a_number_that_is_taken_at_once_would_make_others_wait(acme: House) -> None:
    """The control: triggers that are not deferred hold the tenant's row until the end of the transaction."""
    with acme.inside(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        User.objects.filter(username="bob").update(role="editor")

        with pytest.raises(AssertionError, match="waits"):
            in_thread(
                lambda: APIKey.objects.filter(key_id=acme.people["erin"].key_id).update(revoked_at=timezone.now()), acme
            )


def test_writers_that_meet_in_any_order_do_not_lock_each_other_out(acme: House) -> None:
    ready_sum_model(acme)
    both = threading.Barrier(2)

    def people_first() -> None:
        with transaction.atomic():
            User.objects.filter(username="bob").update(role="editor")
            both.wait(10)
            RegisteredModel.objects.create(name="one", created_by=acme.user("alice"))

    def models_first() -> None:
        with transaction.atomic():
            RegisteredModel.objects.create(name="two", created_by=acme.user("alice"))
            both.wait(10)
            User.objects.filter(username="erin").update(role="viewer")

    other = start(models_first, acme)
    in_thread(people_first, acme)
    other.join(10)

    with acme.inside():
        assert RegisteredModel.objects.filter(name__in=["one", "two"]).count() == 2


def test_a_tenant_is_read_in_a_constant_number_of_queries(acme: House) -> None:
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with use_public():
            head = read_heads([acme.tenant.schema_name], now=timezone.now())[0]
        with acme.inside(), CaptureQueriesContext(connection) as queries:
            read_tenant(head, now=timezone.now())
        return len([query for query in queries if "SELECT" in query["sql"]])

    few = count()
    ready_sum_model(acme)
    ready_sum_model(acme, name="second")
    with acme.inside():
        create_key(user=acme.user("bob"), name="k", scopes=["predict"], expires_at=timezone.now() + timedelta(days=1))
        sign_in(user=acme.user("bob"), now=timezone.now())

    assert count() == few == 10


def start(work: Callable[[], object], house: House, errors: list[BaseException] | None = None) -> threading.Thread:
    def run() -> None:
        try:
            with house.inside():
                if errors is not None:
                    with connection.cursor() as cursor:
                        cursor.execute("SET lock_timeout = '1s'")
                work()
        except BaseException as err:  # noqa: BLE001  told to whoever started it
            (errors if errors is not None else []).append(err)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def in_thread(work: Callable[[], object], house: House) -> None:
    errors: list[BaseException] = []
    start(work, house, errors).join(20)
    assert not errors, f"it waits: {errors[0]}"

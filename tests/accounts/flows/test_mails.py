"""Mails: queued with what they are about, kept in the tenant's schema until they are sent, and forgotten after a day."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from foretell.accounts.flows import outbox
from foretell.accounts.flows.models import OutgoingMail
from foretell.accounts.flows.tasks import send_mail
from foretell.core.tenancy import use_public
from tests.accounts.flows.walking import Headless, code_in, mails, opened
from tests.cast import PASSWORD, House
from tests.http import HttpFor

LOCMEM = override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
NOWHERE = override_settings(EMAIL_BACKEND="tests.accounts.flows.test_mails.Nowhere")


class Nowhere:
    """A mail server that is away."""

    def __init__(self, **_: object) -> None: ...

    def send_messages(self, _: object) -> int:
        raise ConnectionRefusedError


def queued(mail_id: object) -> int:
    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE args->>'mail' = %s", [str(mail_id)])
        return int(cursor.fetchone()[0])


def test_the_worker_sends_it_and_forgets_it(acme: House) -> None:
    with acme.inside():
        posted = outbox.post(to="zoe@acme.example", subject="a code", body="XXXX")

    with LOCMEM:
        mail.outbox = []
        for _ in range(2):
            send_mail(tenant=str(acme.tenant.id), mail=str(posted.pk))

    assert [(one.to, one.subject, one.body) for one in mail.outbox] == [(["zoe@acme.example"], "a code", "XXXX")]
    assert mails(acme) == []


def test_it_waits_where_the_mail_server_is_away(acme: House) -> None:
    with acme.inside():
        posted = outbox.post(to="zoe@acme.example", subject="a code", body="XXXX")

    with NOWHERE, pytest.raises(ConnectionRefusedError):
        send_mail(tenant=str(acme.tenant.id), mail=str(posted.pk))

    assert [one.pk for one in mails(acme)] == [posted.pk]


def test_what_is_rolled_back_is_not_sent(acme: House) -> None:
    with acme.inside(), transaction.atomic():
        posted = outbox.post(to="zoe@acme.example", subject="a code", body="XXXX")
        transaction.set_rollback(True)

    assert (queued(posted.pk), mails(acme)) == (0, [])


def test_it_is_forgotten_after_a_day(acme: House) -> None:
    with acme.inside():
        outbox.post(to="zoe@acme.example", subject="a code", body="XXXX")

        assert outbox.forget(now=timezone.now()) == 0
        assert outbox.forget(now=timezone.now() + timedelta(days=1, seconds=1)) == 1


def test_the_queue_which_is_everybodys_knows_neither_code_nor_address(acme: House, http_for: HttpFor) -> None:
    opened(acme)
    Headless(http_for(None)).post(
        "auth/signup", username="zoe", email="zoe@acme.example", password="a passphrase of one's own"
    )
    code = code_in(mails(acme)[0])

    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(args::text, ' ') FROM procrastinate_jobs")
        told = cursor.fetchone()[0]
    assert str(mails(acme)[0].pk) in told
    assert code not in told
    assert "zoe@acme.example" not in told


def test_a_mail_of_acme_is_none_at_globex(acme: House, globex: House) -> None:
    with acme.inside():
        posted = outbox.post(to="zoe@acme.example", subject="a code", body="XXXX")

    with LOCMEM, globex.inside():
        mail.outbox = []
        assert not outbox.send(posted.pk)
        assert not outbox.send(uuid4())
    assert mail.outbox == []
    with acme.inside():
        assert OutgoingMail.objects.count() == 1


@pytest.mark.parametrize("is_verified", [True, False])
def test_whose_password_was_changed_is_told_where_the_address_is_theirs(acme: House, is_verified: bool) -> None:
    from foretell.accounts.services import change_password, create_user

    with acme.inside():
        fields = {"username": "temp", "email": "temp@acme.example", "password": PASSWORD}
        user = create_user(**fields, is_email_verified=is_verified)
        change_password(user=user, password="another passphrase")

    told = mails(acme)
    assert [one.to for one in told] == ["temp@acme.example"] * is_verified
    assert not any("another passphrase" in one.body for one in told)


def test_who_has_another_address_is_told_at_the_one_of_before(acme: House) -> None:
    from foretell.accounts.flows.verifying import verify_email
    from foretell.accounts.people import change_account
    from foretell.accounts.permissions import Principal
    from foretell.accounts.services import create_user

    with acme.inside():
        user = create_user(username="temp", email="temp@acme.example", password=PASSWORD)
        for email in ("TEMP@acme.example", "new@acme.example"):
            user = change_account(by=Principal(user=user), email=email, current_password=PASSWORD)
        assert mails(acme) == [], "it is theirs still"
        verify_email(user=user, email="new@acme.example", now=timezone.now())

    told = mails(acme)
    assert [one.to for one in told] == ["TEMP@acme.example"]
    assert "new@acme.example" in told[0].body

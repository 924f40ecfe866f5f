"""Fills a tenant: the same for both twins but for the canary, and for what only one has."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from foretell import keys
from tests.isolation.twins import PEOPLE, Twin, credentials_of, key_of, password_of, session_of, user_id
from tests.models import ready_sum_model
from tests.permission_matrix import ENTRY, INVITATION, PREDICTION, PROMOTION, ROBOT


def furnish(twin: Twin) -> None:
    """Fill a tenant: the same for both but for the canary, and for what only it has."""
    with twin.house.inside(), transaction.atomic():
        _people(twin)
    _models(twin)
    with twin.house.inside(), transaction.atomic():
        _what_is_said(twin)
        _what_was_done(twin)
        _of_account_flows(twin)
        twin.shown.update(credentials_of(twin))


def _people(twin: Twin) -> None:
    from foretell.accounts.models import APIKey, Invitation, ModelGrant, ModelPolicy, User
    from foretell.accounts.services import pepper

    now, word = timezone.now(), twin.canary
    for nth, (name, role) in enumerate([*PEOPLE.items(), (twin.ids.text, "editor")]):
        User.objects.create(
            id=user_id(nth) if nth < len(PEOPLE) else twin.ids.uuid(), username=name, role=role, email=f"{name}.{word}@x.example",
            password=make_password(password_of(twin)), last_login=now, email_verified_at=now, pending_email=f"new.{name}.{word}@x.example",
        )  # fmt: skip
    alice = User.objects.get(username="alice")
    for id, name, role in ((ROBOT, "robot", "admin"), (twin.ids.uuid(1), f"robot{twin.ids.text}", "viewer")):
        User.objects.create(id=id, username=name, role=role, is_person=False, password=f"!{word}", responsible=alice)
    for key_id, name, owner in (
        ("alicealice", "alice", user_id(0)), ("robotrobot", "robot", ROBOT), ("bobbobbobb", "bob", user_id(3)),
        (twin.ids.text, "x", twin.ids.uuid()),
    ):  # fmt: skip
        digest = keys.digest(key_of(twin, key_id).secret, pepper=pepper())
        APIKey.objects.create(
            key_id=key_id, secret_digest=digest, user_id=owner, name=f"{name} {word}", scopes=["admin"], created_by=alice,
            last_used_at=now + timedelta(days=1),  # so that its use is noted nowhere, and no row changes by it
        )  # fmt: skip
    for model, holder in (("sum", ROBOT), ("sum", twin.ids.uuid()), (twin.ids.text, ROBOT)):
        ModelGrant.objects.create(user_id=holder, model_name=model, actions=["promote"])
    ModelPolicy.objects.create(model_name=twin.ids.text, needs_approval=True)
    for id, who in ((INVITATION, "i"), (twin.ids.uuid(), twin.ids.text)):
        Invitation.objects.create(
            id=id, email=f"{who}@{word}.example", role="viewer", invited_by=alice, expires_at=now + timedelta(days=1)
        )  # fmt: skip


def _models(twin: Twin) -> None:
    for name in ("sum", twin.ids.text):
        for nth in range(2):
            ready_sum_model(twin.house, name=name, tweak=f"{nth} {twin.canary}")
    ready_sum_model(twin.house, tweak=f"only {twin.canary}")


def _what_is_said(twin: Twin) -> None:
    from foretell.core.cross_origin.models import AllowedOrigin
    from foretell.registry.models import Alias, ModelCard, ModelVersion, PromotionRequest, RegisteredModel

    word, only, alice = twin.canary, twin.ids.text, twin.house.user("alice")
    entries = {"team": word, only: word}
    ModelVersion.objects.filter(model__name="sum", number=3).update(number=twin.ids.number)
    ModelVersion.objects.update(
        description=f"Of {word}", runtime_reason=word, tags=entries, metrics={"f1": 0.5, only: twin.ids.number},
        lineage={"author": word, "git_commit": word},
    )  # fmt: skip
    RegisteredModel.objects.update(description=f"Of {word}", tags=entries, redacted_inputs=[word])
    for model in RegisteredModel.objects.all():
        ModelCard.objects.create(model=model, text=f"---\nlicense: {word}\n---\n# {word}\n", updated_by=alice)
        two, one = model.versions.filter(number__lt=3)
        Alias.objects.update_or_create(model=model, name="champion", defaults={"version": one})
        Alias.objects.create(model=model, name=only, version=two)
        for id, alias, version in ((PROMOTION, "champion", two), (twin.ids.uuid(), only, one)):
            if model.name == "sum":
                PromotionRequest.objects.create(
                    id=id, model=model, alias=alias, version=version, from_number=1, requested_by_id=ROBOT, comment=word
                )  # fmt: skip
    # What only one of them has by a number that is nobody's name.
    nth = twin.ids.number
    RegisteredModel.objects.create(id=nth, name=f"numbered{word}", description=word, created_by=alice)
    ModelVersion.objects.create(
        id=nth, model_id=nth, number=1, push_digest=word, reason=word, description=word, created_by=alice
    )
    Alias.objects.create(id=nth, model_id=nth, name="champion", version_id=nth)
    AllowedOrigin.objects.create(origin=f"https://{word}.example")


def _what_was_done(twin: Twin) -> None:
    from foretell.audit.chains import chain_id
    from foretell.audit.content import content_digest, seal
    from foretell.audit.models import Entry, RefusalCount
    from foretell.monitoring.models import Prediction, UsageHour

    word, now = twin.canary, timezone.now()
    for id, model in ((ENTRY, "sum"), (twin.ids.uuid(), twin.ids.text)):
        row = Entry(
            id=UUID(id), at=now, action="model.changed", target_kind="model", target_id=model, target_name=f"of {word}",
            before={"description": word}, after={"description": f"now {word}"}, actor_id=user_id(0), actor_name=word, credential="key",
            credential_id="alicealice", face="rest", address=word, request_id=word,
        )  # fmt: skip
        row.content_digest = content_digest(row)
        row.seal = seal(row.content_digest, chain=chain_id())
        row.save(force_insert=True)
    RefusalCount.objects.create(actor_id=user_id(0), minute=now, n_refusals=1)
    for nth, (id, model) in enumerate(((PREDICTION, "sum"), (twin.ids.uuid(), twin.ids.text))):
        Prediction.objects.create(
            id=id, at=now, model=model, version=1, face="rest", user_id=user_id(0), key_id="alicealice", request_id=f"{word}{nth}",
            n_rows=1, duration_us=1, n_warnings=0, inputs=b'{"a": 1, "b": "%s"}' % word.encode(), inputs_type="application/json",
            outputs=b'{"prediction": "%s"}' % word.encode(),
        )  # fmt: skip
        UsageHour.objects.create(
            hour=now.replace(minute=0, second=0, microsecond=0), model=model, version=1, user_id=user_id(0), key_id="alicealice",
            requests=twin.ids.number, rows=twin.ids.number,
        )  # fmt: skip


def _of_account_flows(twin: Twin) -> None:
    """Fill what django-allauth keeps; with a second factor only for somebody who shows nothing, since a password alone opens nothing then."""
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount
    from allauth.usersessions.models import UserSession

    from foretell.accounts.flows.models import OutgoingMail
    from foretell.accounts.identity_providers.models import IdentityProvider

    word, only, nth = twin.canary, twin.ids.text, twin.ids.number
    alice, another = twin.house.user("alice"), twin.house.user(only)
    for id in (1, nth):
        UserSession.objects.create(
            id=id, user=alice, ip="127.0.0.1", session_key=session_of(alice), user_agent=f"Browser of {word}", data={"of": word}
        )  # fmt: skip
    Authenticator.objects.create(id=nth, user=another, type="recovery_codes", data={"seed": word, "used_mask": 0})
    IdentityProvider.objects.create(
        slug=only, name=word, issuer=f"https://{word}.example", client_id=word, sealed_secret=word, email_domains=[f"{word}.example"]
    )  # fmt: skip
    SocialAccount.objects.create(id=nth, user=another, provider=only, uid=word, extra_data={"sub": word})
    OutgoingMail.objects.create(id=twin.ids.uuid(), to=f"{only}@{word}.example", subject=word, body=word)

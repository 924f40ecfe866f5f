"""Promoting, where a second person may have to agree: then a promotion is a request, which another entitled person decides."""

from datetime import datetime

from django.db import transaction

from foretell.accounts.models import User
from foretell.accounts.permissions import Action, Principal, is_allowed, may_approve
from foretell.audit.recording import record
from foretell.errors import ForetellError
from foretell.refusals import NotAllowed
from foretell.registry import aliases
from foretell.registry.errors import ApprovalRequired
from foretell.registry.models import Alias, ModelVersion
from foretell.registry.promotion_requests import PromotionRequest, RequestState


class RequestDecided(ForetellError):
    code = "promotion_decided"
    kind = "conflict"

    def __init__(self, request: PromotionRequest) -> None:
        super().__init__(f"This promotion was {request.state} already. Ask for a new one.")


class RequesterGone(ForetellError):
    code = "requester_not_entitled"
    kind = "conflict"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}, who asked for this promotion, may not promote any more. Whoever may asks for a new one."
        )


@transaction.atomic
def promote(
    *, version: ModelVersion, alias: str, by: User, now: datetime, if_match: str | None = None, must_match: bool = False,
    allow_signature_change: bool = False, is_new: bool = False,
) -> Alias | PromotionRequest:  # fmt: skip
    """Point `alias` at `version`; or, where the model asks for four eyes, ask for it.

    Asking again for the same is the same request. With `is_new` the alias must not be there yet. Raises what `aliases.promote_version`
    and `aliases.create_alias` raise.
    """
    try:
        if is_new:
            return aliases.create_alias(
                version=version, alias=alias, by=by, now=now, allow_signature_change=allow_signature_change
            )
        return aliases.promote_version(
            version=version, alias=alias, by=by, now=now, if_match=if_match, must_match=must_match,
            allow_signature_change=allow_signature_change,
        )  # fmt: skip
    except ApprovalRequired:
        return _asked(version, alias, by, allow_signature_change)


@transaction.atomic
def approve(*, request: PromotionRequest, by: Principal, now: datetime, comment: str = "") -> Alias:
    """Agree as the second person, and move the alias.

    Raises
    ------
    RequestDecided, RequesterGone, NotAllowed
    VersionNotReady, ModelArchived, SignatureMismatch
        where it is no longer possible.
    """
    found = _locked(request)
    _check_second(by, found, now)
    if not is_allowed(Principal(user=found.requested_by), Action.PROMOTE, model=found.model.name):
        raise RequesterGone(found.requested_by.username)
    moved = aliases.promote_version(
        version=found.version, alias=found.alias, by=by.user, now=now, is_approved=True,
        allow_signature_change=found.allow_signature_change,
    )  # fmt: skip
    _decide(found, RequestState.APPROVED, by, now, comment)
    return moved


@transaction.atomic
def decline(*, request: PromotionRequest, by: Principal, now: datetime, comment: str = "") -> PromotionRequest:
    """Say no as the second person; the alias stays where it is."""
    found = _locked(request)
    _check_second(by, found, now)
    return _decide(found, RequestState.DECLINED, by, now, comment)


@transaction.atomic
def withdraw(*, request: PromotionRequest, by: Principal, now: datetime, comment: str = "") -> PromotionRequest:
    """Take back what one asked for oneself."""
    found = _locked(request)
    if found.requested_by_id != by.user.pk or not is_allowed(by, Action.PROMOTE, model=found.model.name):
        raise NotAllowed(
            f"{found.requested_by.username} asked for this promotion, and alone withdraws it. You may decline it."
        )
    return _decide(found, RequestState.WITHDRAWN, by, now, comment)


def _asked(version: ModelVersion, alias: str, by: User, allow_signature_change: bool) -> PromotionRequest:
    version.model.lock()  # Race condition: who asks for the same at the same moment takes turns
    known = PromotionRequest.objects.shown().filter(
        model=version.model, alias=alias, version=version, state=RequestState.OPEN
    )
    if (same := known.first()) is not None:
        return same
    before = Alias.objects.filter(model=version.model, name=alias).values_list("version__number", flat=True).first()
    made = PromotionRequest.objects.create(
        model=version.model, alias=alias, version=version, from_number=before, allow_signature_change=allow_signature_change,
        requested_by=by,
    )  # fmt: skip
    after = {"version": version.number, "requested_by": by.username, "state": made.state}
    record(action="promotion.requested", target=_target(made), before={"version": before}, after=after)
    return made


def _locked(request: PromotionRequest) -> PromotionRequest:
    """Race condition: of two who decide, one does."""
    request.model.lock()  # before the request, as whoever asks does
    found = PromotionRequest.objects.shown().select_for_update(of=("self",)).get(pk=request.pk)
    if found.state != RequestState.OPEN:
        raise RequestDecided(found)
    return found


def _check_second(by: Principal, request: PromotionRequest, now: datetime) -> None:
    if not may_approve(by, model=request.model.name, requested_by=request.requested_by, now=now):
        raise NotAllowed(
            "A promotion of this model is decided by a second person: somebody who may promote it, and neither asked for it, nor answers for "
            "the service account that did, nor made a key for whoever did; and not by a key that another made. Who came by an admin's invitation does not decide for "
            "that admin, nor for whom else they invited, nor the other way round, within 30 days."
        )


def _decide(
    request: PromotionRequest, state: RequestState, by: Principal, now: datetime, comment: str
) -> PromotionRequest:
    request.state, request.decided_by, request.decided_at, request.comment = state, by.user, now, comment
    request.save(update_fields=["state", "decided_by", "decided_at", "comment", "updated_at"])
    after = {"version": request.version.number, "requested_by": request.requested_by.username, "state": state.value}
    if state == RequestState.APPROVED:
        after["approved_by"] = by.user.username
    record(action=f"promotion.{state.value}", target=_target(request), before={"state": "open"}, after=after)
    return request


def _target(request: PromotionRequest) -> tuple[str, str]:
    return "alias", f"{request.model.name}@{request.alias}"

"""The door: each key is let through once."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from foretell.core.idempotency.claiming import Claim, Kept, claim
from foretell.core.idempotency.keys import fingerprint_of, offered_key, place_of

NOTED = "_foretell_idempotency"
REPLAYED = "Idempotent-Replayed"


class AlreadyAnswered(Exception):  # no error: `core.exception_handler` answers what was answered before
    def __init__(self, kept: Kept) -> None:
        super().__init__("already answered")
        self.kept = kept

    def response(self) -> HttpResponse:
        headers = {**self.kept.answer.headers, REPLAYED: "true"}
        return HttpResponse(self.kept.answer.body, status=self.kept.status, headers=headers)


class Once(BaseThrottle):
    """Among the throttles, since DRF asks them last: who may not do it learns nothing of what another was answered."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.method != "POST" or not request.user.is_authenticated:
            return True
        key = offered_key(request)
        if key is None:
            return True
        found = claim(
            place=place_of(request, key), key=key, fingerprint=fingerprint_of(request), now=timezone.now()
        )  # fmt: skip
        if isinstance(found, Kept):
            raise AlreadyAnswered(found)
        setattr(request._request, NOTED, found)
        return True


def noted_claim(request: Any) -> Claim | None:
    found = getattr(request, NOTED, None)
    return found if isinstance(found, Claim) else None

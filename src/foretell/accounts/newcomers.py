"""Who came by whose invitation of late: an admin may have invited an address of their own, and be two people by it.

For a month, in which others get to know who came, those count as one who are linked by admins' invitations, whether directly or by one
another. Owners' invitations link nobody: an owner does without a second person anyway.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from foretell.accounts.models import Invitation
from foretell.accounts.roles import Role

STRANGERS_FOR = timedelta(days=30)  # less than invitations are kept


class Acceptance(NamedTuple):
    host: UUID
    guest: UUID
    at: datetime


def acceptances() -> tuple[Acceptance, ...]:
    """Return the invitations of admins that were accepted, as far as they are kept."""
    found = Invitation.objects.filter(invited_by__role=Role.ADMIN, accepted_by__isnull=False)
    rows = found.order_by().values_list("invited_by_id", "accepted_by_id", "accepted_at")
    return tuple(Acceptance(host, guest, at) for host, guest, at in rows if at is not None)


def came_together(person: UUID, invitations: tuple[Acceptance, ...], *, now: datetime) -> frozenset[UUID]:
    """Return the others who may be the same human being, by what the invitations of the last month say."""
    recent = [{one.host, one.guest} for one in invitations if one.at + STRANGERS_FOR > now]
    found = {person}
    while linked := [pair for pair in recent if pair & found and not pair <= found]:
        found.update(*linked)
    return frozenset(found - {person})

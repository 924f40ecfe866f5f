"""A change of somebody's second factors ends where they are signed in elsewhere, and is told by mail.

Security: whoever sets one up may do so since somebody else has their password, and a session or tokens by it. Were those to go on, the factor
would keep out nobody who is in.
"""

from typing import Any

from allauth.core import context

from foretell.accounts.flows.notices import tell_of_second_factor
from foretell.accounts.flows.sessions import end_others
from foretell.accounts.second_factor.services import ASKED_FOR


def changed(row: Any, what: str) -> None:
    """End all sessions and tokens of whose factor this is but the session that changed it, in the change's transaction.

    Where nobody changes their own, as where an admin takes a lost one away, the service does what is to be done.
    """
    request = context.request
    if row.type not in ASKED_FOR or request is None or request.user.pk != row.user_id:
        return
    end_others(request=request, user=request.user)
    tell_of_second_factor(request.user, what)

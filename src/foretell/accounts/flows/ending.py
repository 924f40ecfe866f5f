"""Ends browsers' sessions for allauth's own pages and API."""

from collections.abc import Iterable

from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession

from foretell.accounts.flows.sessions import end_browser_session


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]  # allauth's classes are untyped
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        for session in sessions:
            end_browser_session(session)

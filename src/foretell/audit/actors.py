"""Who acts: said once where somebody comes in (a request, a command, a task), and read where a change is written down."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum


class Credential(StrEnum):
    """What somebody showed to be let in."""

    NONE = "none"
    SESSION = "session"
    KEY = "key"
    TOKEN = "token"  # noqa: S105  the word, not one
    PASSWORD = "password"  # noqa: S105
    LINK = "link"  # a signed one, from a mail
    PASSKEY = "passkey"
    PROVIDER = "provider"  # an identity provider's word
    CLI = "cli"
    TASK = "task"


class Face(StrEnum):
    """Where they came in."""

    REST = "rest"
    PAGE = "page"
    ADMIN = "admin"
    CLI = "cli"
    TASK = "task"
    CODE = "code"  # none of them: a shell, a test


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, as far as it is known: ids and names, never a secret.

    user_id : of the person; "" where none is known, as for a task.
    credential_id : a key's or a token's public id.
    address : the client's, as the trusted proxies saw it; a command's is the name of its host.
    """

    user_id: str = ""
    name: str = ""
    credential: Credential = Credential.NONE
    credential_id: str = ""
    face: Face = Face.CODE
    address: str = ""
    request_id: str = ""


NOBODY = Actor(name="system")

_actor: ContextVar[Actor] = ContextVar("foretell_actor", default=NOBODY)


def current_actor() -> Actor:
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let `actor` be who acts until the block ends, then whoever was before."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def identify(*, user_id: str, name: str, credential: Credential, credential_id: str = "") -> None:
    """Say who the one is that came in; where they came in was said before, and ends with the request."""
    known = replace(_actor.get(), user_id=user_id, name=name, credential=credential, credential_id=credential_id)
    _actor.set(known)


@contextmanager
def acting_task(name: str) -> Iterator[None]:
    """Let a task be who acts."""
    with acting(Actor(name=name, credential=Credential.TASK, face=Face.TASK)):
        yield


@contextmanager
def acting_command(name: str, *, host: str) -> Iterator[None]:
    """Let whoever typed a command on `host` be who acts."""
    with acting(Actor(name=name, credential=Credential.CLI, face=Face.CLI, address=host)):
        yield

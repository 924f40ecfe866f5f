"""Two tenants that are the same but for a word: ids, names and numbers are equal, and every other text of one is a canary.

Each has besides what only it has, at addresses where the other has nothing: what is not yours has to be answered as what is not there.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils import timezone

from foretell import keys
from tests.cast import House

NAMES = ("castor", "pollux")
NOBODY = "nobody"  # has the same number of letters: so that even lengths are equal
MARKS = {"castor": "ca5ca5ca5c", "pollux": "b0b0b0b0b0", NOBODY: "d0d0d0d0d0"}
NUMBERS = {"castor": 60606, "pollux": 70707, NOBODY: 80808}
PEOPLE = {"alice": "owner", "adam": "admin", "erin": "editor", "bob": "viewer"}
CSRF = "c" * 32


@dataclass(frozen=True)
class Ids:
    """What only this tenant has, by kind: `nobody`'s are nobody's."""

    name: str

    @property
    def text(self) -> str:
        """Return what it calls a model, an alias, a key, somebody, a tag …"""
        return f"only{self.name}"

    @property
    def number(self) -> int:
        return NUMBERS[self.name]

    @property
    def email(self) -> str:
        return f"{self.text}@x.example"

    def uuid(self, nth: int = 0) -> str:
        return f"01a1fd19-5c37-7fea-93a3-{MARKS[self.name]}{nth:02x}"


NOBODYS = Ids(NOBODY)


@dataclass
class Twin:
    """One of the two: what is there, and what its people show to be let in."""

    house: House
    shown: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.house.tenant.name)

    @property
    def host(self) -> str:
        return f"{self.name}.localhost"

    @property
    def canary(self) -> str:
        return f"canary{self.name}"

    @cached_property
    def ids(self) -> Ids:
        return Ids(self.name)

    @property
    def schema(self) -> str:
        return str(self.house.tenant.schema_name)

    @property
    def marks(self) -> tuple[bytes, ...]:
        """Return the texts that no answer to the other may hold."""
        texts = (
            self.canary,
            self.ids.text,
            MARKS[self.name],
            str(self.ids.number),
            self.schema,
            str(self.house.tenant.id),
        )
        return tuple(text.encode() for text in texts)

    def masked(self, content: bytes) -> bytes:
        """Return an answer as if nobody's ids had been asked for in the place of this one's."""
        for mine, nobodys in (
            (f"https://{self.canary}", f"https://canary{NOBODY}"), (self.ids.text, NOBODYS.text),
            (MARKS[self.name], MARKS[NOBODY]), (str(self.ids.number), str(NOBODYS.number)),
        ):  # fmt: skip
            content = content.replace(mine.encode(), nobodys.encode())
        return content


def credentials_of(twin: Twin) -> dict[str, Mapping[str, str]]:
    from foretell.accounts.models import User
    from foretell.accounts.tokens.services import sign_in

    alice = User.objects.get(username="alice")
    key = str(key_of(twin, "alicealice"))
    return {
        "key": bearer(key),
        "key in its own header": {"X-API-Key": key},
        "key as a password": _basic("alicealice", key_of(twin, "alicealice").secret),
        "password": _basic("alice", password_of(twin)),
        "token": bearer(sign_in(user=alice, now=timezone.now()).access),
        "session": session_shown(session_of(alice)),
        "service key": bearer(str(key_of(twin, "robotrobot"))),
    }


def made_up(kind: str) -> Mapping[str, str]:
    """Return a key, or a session, that was never anybody's."""
    return (
        session_shown("z" * 32) if kind == "session" else bearer(str(keys.Key("zzzzzzzzzz", "Z" * keys.SECRET_CHARS)))
    )


def user_id(nth: int) -> str:
    return f"01a1fd19-5c37-7fea-93a3-{0xE0 + nth:012x}"


def password_of(twin: Twin) -> str:
    return f"{twin.canary} a long passphrase"


def key_of(twin: Twin, key_id: str) -> keys.Key:
    return keys.Key(key_id, (twin.canary * 4)[: keys.SECRET_CHARS])


def session_of(user: Any) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from foretell.tenants.sessions import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "foretell.accounts.backends.NameOrEmailBackend"
    store.save()
    return str(store.session_key)


def bearer(text: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {text}"}


def _basic(name: str, password: str) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def session_shown(key: str) -> Mapping[str, str]:
    return {"Cookie": f"foretell-session={key}; foretell-csrf={CSRF}", "X-CSRFToken": CSRF}

"""What is tried at each route, and how an answer is judged.

A probe is one request. It leaks where its answer holds a text of the other tenant's, or where it is not, byte for byte, the answer to
the same request with what nobody has in the place of what is another's.
"""

import asyncio
from binascii import crc32
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from foretell.accounts import limiting
from tests.http import refreshed
from tests.isolation.asking import STREAM, Answer, Request, ask
from tests.isolation.bodies import bodies, filters_of, places
from tests.isolation.calling import Call
from tests.isolation.judging import around, compared, difference
from tests.isolation.rows import digest_of, put_back
from tests.isolation.twins import NOBODYS, Ids, Twin, made_up

HTML, TOO_MANY = {"Accept": "text/html"}, 429
OF_A_PERSON = ("key", "key in its own header", "key as a password", "password", "token", "session")
EVERY = (*OF_A_PERSON, "service key")
ALIKE = {
    "key in its own header": "key",
    "key as a password": "key",
    "token": "password",
}  # the same person, the same limits: the same answer
# Said by a proxy that nobody has, or by a page: none of them may say whose address it is.
CLAIMS = (
    "X-Forwarded-Host",
    "X-Original-Host",
    "X-Host",
    "X-Forwarded-Server",
    "X-HTTP-Host-Override",
    "X-Tenant",
    "X-Schema-Name",
)


@dataclass(frozen=True)
class Probe:
    """A request, and the one that has to be answered alike; None: only canaries are looked for.

    changes : whether it may really change something at home, so that all is put back behind it.
    foreign : whose texts may not be in the answer; None: the other's.
    """

    what: str
    shown: str
    request: Request
    like: Request | None = None
    changes: bool = False
    foreign: Twin | None = None


@dataclass
class Prober:
    """Asks at `home`, with and without what is `other`'s."""

    home: Twin
    other: Twin
    app: Any
    runner: asyncio.Runner
    is_thorough: bool = False
    seen: set[str] = field(
        default_factory=set
    )  #: calls whose answers held a canary of home's own: so canaries are seen
    _baselines: dict[str, Answer] = field(default_factory=dict)

    def leaks_of(self, call: Call) -> list[str]:
        """Return what leaked at one route, in words; then both are as they were."""
        self._baselines.clear()
        limiting.forget_all()
        found = [leak for probe in self.probes_of(call) if (leak := self._leak(call, probe)) is not None]
        changed_rows = self._changed_rows()
        put_back(self.home)
        return found + [f"{call}: {table} of {self.other.name} changed" for table in changed_rows]

    def _changed_rows(self) -> list[str]:
        """Return the tables of the other's in which something was changed, which is nobody's to do here."""
        now = digest_of(self.other)
        tables = [table for table, before in self._untouched.items() if now[table] != before]
        if tables:
            put_back(self.other)
        return tables

    @cached_property
    def _untouched(self) -> dict[str, str]:
        return digest_of(self.other)

    def probes_of(self, call: Call) -> Iterator[Probe]:
        yield from self.planned(call)
        for shown in self._in_turn(call):
            yield from self._others_tags(call, shown)
            yield from self._others_key(call, shown)

    def planned(self, call: Call) -> Iterator[Probe]:
        """Yield those for which nothing has to be asked before."""
        yield from self._foreign_credentials(call)
        yield from self._own_credentials(call)
        yield from self._foreign_ids_in_path(call)
        for shown in self._in_turn(call):
            yield from self._foreign_ids_in_query(call, shown)
            yield from self._foreign_ids_in_body(call, shown)
            yield from self._foreign_words_in_headers(call, shown)

    def _in_turn(self, call: Call) -> tuple[str, ...]:
        """Return who asks with what is another's in query, body and headers: everybody, or one after the other from route to route."""
        return self._some(call, ("session",) if call.is_page else ())

    def _some(self, call: Call, always: tuple[str, ...], *, more: int = 0) -> tuple[str, ...]:
        """Return all credentials where it is thorough; else these and some more, another one at each route; at least one."""
        if self.is_thorough:
            return EVERY
        at = crc32(str(call).encode())
        others = [EVERY[(at + nth) % len(EVERY)] for nth in range(more or (not always))]
        return tuple(dict.fromkeys((*always, *others)))

    # --- what is tried ---

    def _foreign_credentials(self, call: Call) -> Iterator[Probe]:
        """Show the other's credentials at home's host, below home's prefix at the other's host, and home's own below the other's prefix."""
        doors = [(self.home.host, "", self.other), (self.other.host, f"/t/{self.home.name}", self.other)]
        if self.is_thorough:
            doors.append((self.home.host, f"/t/{self.other.name}", self.home))
        for host, prefix, whose in doors:
            few = self._some(call, ("session",), more=1)
            for shown in few if prefix or call.is_page else EVERY:
                headers = whose.shown[shown]
                unknown = self._asked(call, host, prefix, made_up("session" if shown == "session" else "key"))
                asked = self._asked(call, host, prefix, headers)
                yield Probe(f"a foreign credential at {host}{prefix}", shown, asked, unknown, foreign=whose)
        nobody = self._asked(call, self.home.host, "", {})
        yield Probe("no credential", "none", nobody)
        both = {**self.home.shown["session"], "Cookie": self._cookies_of_both()}
        yield Probe("sessions of both", "session", self._asked(call, self.home.host, "", both), changes=call.is_write)

    def _own_credentials(self, call: Call) -> Iterator[Probe]:
        few = self._some(call, ("session",) if call.is_page else ("key", "session"), more=int(call.is_page))
        for shown in few if call.is_write or call.is_page else EVERY:
            yield Probe("their own", shown, self._own(call, shown), changes=call.is_write)

    def _foreign_ids_in_path(self, call: Call) -> Iterator[Probe]:
        places: list[tuple[str, ...]] = [(spot.name,) for spot in call.spots]
        if len(places) > 1:
            places.append(tuple(spot.name for spot in call.spots))
        for names in places:
            theirs, nobodys = (call.path_with(ids, *names) for ids in (self.other.ids, NOBODYS))
            for shown in self._some(call, ("session",) if call.is_page else ("key",), more=int(not call.is_page)):
                yield Probe(
                    f"a foreign {' and '.join(names)} in the path", shown, self._own(call, shown, path=theirs),
                    self._own(call, ALIKE.get(shown, shown), path=nobodys), changes=call.is_write,
                )  # fmt: skip

    def _foreign_ids_in_query(self, call: Call, shown: str) -> Iterator[Probe]:
        if call.is_write and not self.is_thorough:  # no write reads its query
            return
        for name in (*filters_of(call), None):
            theirs, nobodys = (self._queried(call, name, ids) for ids in (self.other.ids, NOBODYS))
            yield Probe(
                f"a foreign {name or 'id'} in the query", shown, self._own(call, shown, path=theirs), self._own(call, shown, path=nobodys),
                changes=call.is_write,
            )  # fmt: skip

    def _foreign_ids_in_body(self, call: Call, shown: str) -> Iterator[Probe]:
        for what, theirs, nobodys in zip(
            places(call), bodies(call, self.other.ids), bodies(call, NOBODYS), strict=True
        ):
            yield Probe(
                f"a foreign {what} in the body", shown, self._own(call, shown, options=theirs), self._own(call, shown, options=nobodys),
                changes=True,
            )  # fmt: skip

    def _foreign_words_in_headers(self, call: Call, shown: str) -> Iterator[Probe]:
        own = self._own(call, shown)
        claims = dict.fromkeys(CLAIMS, self.other.host) | {
            "Forwarded": f"host={self.other.host}", "X-Forwarded-Prefix": f"/t/{self.other.name}", "X-Original-URL": f"/t/{self.other.name}/",
            "X-Rewrite-URL": f"/t/{self.other.name}{call.path}", "X-Script-Name": f"/t/{self.other.name}", "Referer": f"http://{self.other.host}/",
        }  # fmt: skip
        yield Probe("another host in headers", shown, _with(own, claims), own, changes=call.is_write)
        if call.is_page and not self.is_thorough:  # a form of another site's page is refused before all else
            return
        theirs, nobodys = (f"https://canary{name}.example" for name in (self.other.name, NOBODYS.name))
        yield Probe(
            "another's origin",
            shown,
            _with(own, {"Origin": theirs}),
            _with(own, {"Origin": nobodys}),
            changes=call.is_write,
        )

    def _others_tags(self, call: Call, shown: str) -> Iterator[Probe]:
        """Say the other's entity tag; where both show the same, it is home's own as well."""
        tag, own = self._tag_of(call, self.other), self._own(call, shown)
        for name in ("If-Match", "If-None-Match") if tag and tag != self._tag_of(call, self.home) else ():
            nobodys = '"' + "A" * (len(tag) - 2) + '"'
            yield Probe(
                f"another's {name}", shown, _with(own, {name: tag}), _with(own, {name: nobodys}), changes=call.is_write
            )

    def _others_key(self, call: Call, shown: str) -> Iterator[Probe]:
        """Use an idempotency key by which the other, whose ids are the same, was answered at the same address."""
        if call.method != "POST" or call.is_page:
            return
        own, used, fresh = (
            self._own(call, shown),
            {"Idempotency-Key": "the same at both"},
            {"Idempotency-Key": "only at home yet"},
        )
        self._answer(
            Request(
                own.method, own.path, self.other.host, {**own.headers, **self.other.shown[shown], **used}, own.options
            )
        )
        put_back(self.other)
        refreshed()
        yield Probe("another's Idempotency-Key", shown, _with(own, used), _with(own, fresh), changes=True)

    # --- asking ---

    def _asked(
        self, call: Call, host: str, prefix: str, headers: Mapping[str, str], *, path: str | None = None
    ) -> Request:
        accept = HTML if call.is_page else {}
        return Request(call.method, f"{prefix}{path or call.path}", host, {**accept, **headers}, call.options)

    def _own(
        self, call: Call, shown: str, *, path: str | None = None, options: Mapping[str, Any] | None = None
    ) -> Request:
        asked = self._asked(call, self.home.host, "", self.home.shown[shown], path=path)
        return asked if options is None else Request(asked.method, asked.path, asked.host, asked.headers, options)

    def _queried(self, call: Call, name: str | None, ids: Ids) -> str:
        given = (
            {name: ids.text}
            if name
            else {"id": ids.uuid(), "name": ids.text, "version": ids.number, "user_id": ids.uuid(), "next": ids.text}
        )
        mark = "&" if "?" in call.path else "?"
        return f"{call.path}{mark}{'&'.join(f'{key}={value}' for key, value in given.items())}"

    def _cookies_of_both(self) -> str:
        return "; ".join(twin.shown["session"]["Cookie"] for twin in (self.home, self.other))

    def _tag_of(self, call: Call, twin: Twin) -> str:
        if call.method == STREAM or call.is_page or call.predicts or call.route.startswith("headless:"):
            return ""  # there are none; and to ask for a passkey begins a session
        return self._answer(Request("GET", call.path, twin.host, twin.shown["key"])).header("etag") or ""

    def _answer(self, request: Request) -> Answer:
        answer = ask(self.runner, self.app, request)
        if answer.status != TOO_MANY:
            return answer
        limiting.forget_all()  # what is held here is not how often somebody may ask
        return ask(self.runner, self.app, request)

    # --- judging ---

    def _leak(self, call: Call, probe: Probe) -> str | None:
        answer = self._answer_put_back(probe.request, probe.changes)
        shown = f"{call}, {probe.what}, by {probe.shown}"
        if any(mark in answer.everything for mark in self.home.marks):
            self.seen.add(str(call))
        foreign = probe.foreign or self.other
        masked = foreign.masked(answer.everything) if probe.like is not None else answer.everything
        for mark in foreign.marks:
            if mark in masked:
                return f"{shown}: {mark.decode()} in its answer {answer.status}: {around(masked, mark)}"
        if probe.like is None:
            return None
        expected = self._baseline(probe)
        theirs, nobodys = (compared(one, self.other) for one in (answer, expected))
        return None if theirs == nobodys else f"{shown}: {difference(theirs, nobodys)}"

    def _baseline(self, probe: Probe) -> Answer:
        """Return how what nobody has is answered; asked once, where nothing changes by asking."""
        assert probe.like is not None
        place = repr(probe.like)
        if place not in self._baselines:
            self._baselines[place] = self._answer_put_back(probe.like, probe.changes)
        return self._baselines[place]

    def _answer_put_back(self, request: Request, changes: bool) -> Answer:
        answer = self._answer(request)
        if changes and answer.status < 400:
            put_back(self.home)
            refreshed()
        return answer


def _with(request: Request, headers: Mapping[str, str]) -> Request:
    return Request(request.method, request.path, request.host, {**request.headers, **headers}, request.options)

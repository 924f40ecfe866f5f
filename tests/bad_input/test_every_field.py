"""Each route with each field wrong in each way: 400, all that is wrong at once, the path of each field and what is allowed there.

The fields are those of the schema, which is made of the serializers; the routes are those that the isolation suite knows how to call.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import get_resolver

from tests.bad_input.wrong_values import Document
from tests.isolation.asking import Answer, Request
from tests.isolation.calling import LANE, Call
from tests.isolation.calls import calls
from tests.isolation.rows import digest_of
from tests.isolation.twins import Twin
from tests.isolation.world import Ask, asked, runner, twins  # noqa: F401  fixtures are used by name
from tests.permission_matrix import named

PUSH = "registry:versions"
METADATA = "#/components/schemas/PushMetadataRequest"
# Written to by the way, whatever a request asks: who tried what, and sessions of a browser that only looked.
NOTED = {"audit_entry", "audit_refusalcount"}
# Asked elsewhere: rows of a model (tests/serving/test_bad_payloads.py), and allauth's headless API, which takes a session alone and is
# walked up to (tests/accounts/flows/test_headless_errors.py).
OTHERS = ("registry:predict", "headless:")


@dataclass(frozen=True)
class Case:
    what: str
    body: Any
    paths: frozenset[str]  # each has to be named


def address_of(route: str) -> str:
    """Return a route as the schema writes it."""
    pattern = str(dict(named(get_resolver().url_patterns))[route].pattern)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)


def writes() -> list[Call]:
    """Return every call of our own API that takes a body."""
    return [
        call for call in calls()
        if call.is_write and call.route not in LANE and call.path.startswith("/api/") and not call.route.startswith(OTHERS)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def document(twins: tuple[Twin, Twin], asked: Ask) -> Document:  # noqa: F811
    castor, _ = twins
    answer = asked(Request("GET", "/api/v1/schema/?format=json", castor.host, castor.shown["key"]))
    return Document(json.loads(answer.body))


def sent(call: Call, twin: Twin, body: Any) -> Request:
    headers = {**twin.shown["key"], **call.options.get("headers", {})}
    if call.route == PUSH:
        options: Mapping[str, Any] = {**call.options, "data": {"metadata": json.dumps(body)}}
    else:
        options = {"content": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
    return Request(call.method, call.path, twin.host, headers, options)


def cases_of(call: Call, document: Document) -> Iterator[Case]:
    address = address_of(call.route)
    schema = document.resolved({"$ref": METADATA}) if call.route == PUSH else document.body_of(address, call.method)
    if schema is None:
        return
    properties, at = document.properties(schema), "metadata." if call.route == PUSH else ""
    good = {} if call.route == PUSH else dict(call.options.get("json", {}))
    wrong = {name: list(document.wrong_values(name, one)) for name, one in properties.items()}
    for name, values in wrong.items():
        for path, value in values:
            yield Case(f"{path}={value!r:.40}", {**good, name: value}, frozenset({at + path}))
    if not properties:  # names and values of any number
        yield Case("a wrong value", {"k": [1]}, frozenset({"k"}))
        return
    for name in schema.get("required", ()):
        yield Case(
            f"without {name}", {key: value for key, value in good.items() if key != name}, frozenset({at + name})
        )
    yield Case("unknown", {**good, "surprise": 1}, frozenset({f"{at}surprise"}))
    only_read = document.shown_by(address, call.method) - properties.keys() if call.route != PUSH else set()
    for name in sorted(only_read):
        yield Case(f"read-only {name}", {**good, name: "x"}, frozenset({name}))
    all_wrong = {name: values[0] for name, values in wrong.items() if values}
    everything = {
        **{name: value for name, (_, value) in all_wrong.items()},
        **dict.fromkeys(only_read, 1),
        "surprise": 1,
    }
    named_paths = [at + path for path, _ in all_wrong.values()] + [*only_read, f"{at}surprise"]
    yield Case("everything at once", everything, frozenset(named_paths))


def faults_of(case: Case, answer: Answer) -> list[str]:
    """Return what is not as it should be with a refusal."""
    shown = f"{case.what}: {answer.status} {answer.body[:300]!r}"
    if answer.status != 400 or answer.header("content-type") != "application/problem+json":
        return [shown]
    body = json.loads(answer.body)
    named_here = {error["attr"] for error in body["errors"]}
    unnamed = [path for path in case.paths if not any(_is_at(attr, path) for attr in named_here)]
    silent = [error for error in body["errors"] if len(error["detail"]) < len("x is y") or not error["code"]]
    return [f"{shown}: does not name {unnamed}"] if unnamed else [f"{shown}: {silent}"] if silent else []


def _is_at(attr: str | None, path: str) -> bool:
    """Whether a fault is told at a place, or at the list that the place is in."""
    return attr is not None and (
        attr == path or attr.startswith(f"{path}.") or (path[-2:] in (".0", ".1") and attr == path[:-2])
    )


@pytest.mark.parametrize("call", writes(), ids=str)
def test_each_field_wrong_in_each_way_is_refused_by_name(
    twins: tuple[Twin, Twin], asked: Ask, document: Document, call: Call  # noqa: F811
) -> None:  # fmt: skip
    castor, _ = twins
    before = digest_of(castor)

    found = [
        fault for case in cases_of(call, document) for fault in faults_of(case, asked(sent(call, castor, case.body)))
    ]

    after = digest_of(castor)
    assert found == []
    assert [table for table in after if after[table] != before[table] and table not in NOTED] == []


def test_every_body_that_is_taken_is_in_the_schema(document: Document) -> None:
    without = [
        str(call) for call in writes()
        if call.options.get("json") and document.body_of(address_of(call.route), call.method) is None
    ]  # fmt: skip

    assert without == []


def test_there_are_hundreds_of_cases(document: Document) -> None:
    assert sum(1 for call in writes() for _ in cases_of(call, document)) > 500

"""Changing what is registered: replace, change, delete; unseen changes are not undone; what cannot be written is refused."""

from typing import Any

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.models import ready_sum_model
from tests.registry.catalogue import listed_model, listed_version

MODELS = "/api/v1/models/"
SUM, VERSION = f"{MODELS}sum/", f"{MODELS}sum/versions/1/"
SINGLES = [SUM, VERSION, f"{SUM}aliases/champion/", f"{SUM}card/", f"{SUM}tags/", f"{SUM}tags/a%2Fb/", f"{VERSION}tags/",
           f"{VERSION}tags/team/", f"{VERSION}metrics/", f"{VERSION}metrics/f1/", f"{VERSION}lineage/", "/api/v1/"]  # fmt: skip


@pytest.fixture
def written(acme: House, alice: httpx.Client) -> None:
    """A model with something at each address of a single resource."""
    ready_sum_model(acme)
    for path, body in {
        f"{SUM}card/": {"text": "---\nlicense: mit\n---\n# Sum"}, f"{SUM}tags/a%2Fb/": {"value": "c"},
        f"{VERSION}tags/team/": {"value": "a"}, f"{VERSION}metrics/f1/": {"value": 0.5},
    }.items():  # fmt: skip
        assert alice.put(path, json=body).status_code == 201


@pytest.mark.parametrize("path", SINGLES)
def test_every_single_resource_has_a_tag_by_which_it_is_not_sent_twice(
    written: None, bob: httpx.Client, path: str
) -> None:
    first = bob.get(path)
    tag = first.headers["ETag"]

    assert first.status_code == 200
    for known in (tag, f'"other", W/{tag}', "*"):
        again = bob.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert bob.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert bob.head(path).headers["ETag"] == tag


BODIES: dict[str, Any] = {
    SUM: {"description": "Adds.", "tags": {"a/b": "c"}},
    VERSION: {"description": "First.", "tags": {}, "metrics": {"f1": 1}, "lineage": {}},
    f"{SUM}card/": {"text": "# Other"},
    f"{SUM}tags/": {"x": "y"},
    f"{VERSION}tags/": {"x": "y"},
    f"{VERSION}metrics/": {"x": 1.5},
    f"{SUM}aliases/champion/": {"version": 2},
}


@pytest.mark.parametrize("path", BODIES)
def test_replacing_what_is_there_needs_its_tag_and_a_stale_one_changes_nothing(
    written: None, acme: House, alice: httpx.Client, path: str
) -> None:
    ready_sum_model(acme, tweak="second")
    read = alice.get(path)

    assert alice.put(path, json=BODIES[path]).status_code == 428
    assert alice.put(path, json=BODIES[path], headers={"If-Match": '"stale"'}).status_code == 412
    assert alice.get(path).content == read.content
    changed = alice.put(path, json=BODIES[path], headers={"If-Match": read.headers["ETag"]})
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] not in ("", read.headers["ETag"])
    assert changed.headers["ETag"] == alice.get(path).headers["ETag"]
    assert alice.put(path, json=BODIES[path], headers={"If-Match": read.headers["ETag"]}).status_code == 412


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", SUM, {"description": "x"}),
        ("PATCH", VERSION, {"description": "x"}),
        ("PUT", f"{SUM}tags/a%2Fb/", {"value": "x"}),
        ("PUT", f"{VERSION}metrics/f1/", {"value": 1}),
        ("PUT", f"{SUM}tags/new/", {"value": "x"}),
        ("DELETE", SUM, None),
        ("DELETE", VERSION, None),
        ("DELETE", f"{SUM}card/", None),
        ("DELETE", f"{SUM}tags/a%2Fb/", None),
        ("DELETE", f"{SUM}aliases/champion/", None),
    ],
)
def test_a_stale_tag_is_412_for_every_change(
    written: None, alice: httpx.Client, method: str, path: str, body: Any
) -> None:
    answer = alice.request(method, path, json=body, headers={"If-Match": '"stale"'})

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")


def test_what_must_not_be_there_yet_is_said_by_if_none_match(written: None, alice: httpx.Client) -> None:
    absent = {"If-None-Match": "*"}

    assert alice.put(f"{SUM}tags/a%2Fb/", json={"value": "x"}, headers=absent).status_code == 412
    assert alice.put(f"{SUM}tags/new/", json={"value": "x"}, headers=absent).status_code == 201


def test_a_tag_stays_the_same_while_nothing_changes_and_follows_what_is_shown(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    tags = [alice.get(SUM).headers["ETag"] for _ in range(2)]
    ready_sum_model(acme, tweak="second")  # latest_version is another now

    assert tags[0] == tags[1] != alice.get(SUM).headers["ETag"]


def test_what_was_read_can_be_written_back_without_what_is_only_read(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    read = alice.get(SUM)

    refused = alice.put(SUM, json=read.json(), headers={"If-Match": read.headers["ETag"]})

    faults = refused.json()["errors"]
    assert refused.status_code == 400
    assert {fault["code"] for fault in faults} == {"read_only"}
    writable = {name: value for name, value in read.json().items() if name not in {fault["attr"] for fault in faults}}
    body = {
        name: value for name, value in writable.items() if name in ("description", "tags", "limit_scope", "log_payload")
    }
    assert set(writable) == {*body, "redacted_inputs"}
    assert alice.put(SUM, json=body, headers={"If-Match": "*"}).status_code == 200


ANYTHING_BUT_TEXT: list[Any] = [1, True, None, [], {}]
WRONG: list[tuple[str, str, str, list[Any]]] = [
    ("POST", MODELS, "name", [*ANYTHING_BUT_TEXT, "", "../x", "a" * 101, "a/b", "\u00fc"]),
    ("POST", MODELS, "description", [*ANYTHING_BUT_TEXT, "x" * 20_001]),
    ("POST", MODELS, "tags", [1, None, "a", ["a"], {"a": 1}, {"": "a"}, {"a" * 101: "b"}, {"a": "b" * 1_001}]),
    ("PATCH", SUM, "description", [*ANYTHING_BUT_TEXT, "x" * 20_001]),
    ("PATCH", SUM, "tags", [1, None, {"a": None}, {str(n): "" for n in range(101)}]),
    ("PATCH", SUM, "archived", ["true", 1, None, {}]),
    ("PATCH", SUM, "limit_scope", [1, None, "no-such-limit"]),
    ("PATCH", SUM, "log_payload", [1, None, "some", ""]),
    ("PATCH", SUM, "redacted_inputs", [1, None, "a", [1], [""]]),
    ("PATCH", VERSION, "description", [*ANYTHING_BUT_TEXT, "x" * 20_001]),
    ("PATCH", VERSION, "tags", [1, None, {"a": 1}]),
    ("PATCH", VERSION, "metrics", [1, None, "a", {"a": "1"}, {"a": True}, {"a": None}, {"": 1}, {"a": 10**400}]),
    ("PATCH", VERSION, "lineage", [1, None, "a", {"home": "x"}, {"git_commit": 1}, {"data_sha256": "x"}, {"dataset": 1},
                                   {"parent": "sum:1"}, {"parent": {"model": "sum"}}, {"parent": {"model": "sum", "version": "1"}},
                                   {"parent": {"model": "sum", "version": 0}}, {"parent": {"model": "none", "version": 1}},
                                   {"parent": {"model": "sum", "version": 1}}, {"libraries": {"a": 1}}]),
    ("POST", f"{SUM}aliases/", "alias", [*ANYTHING_BUT_TEXT, "", "Champion", "a b", "a" * 51]),
    ("POST", f"{SUM}aliases/", "version", ["1", 1.5, True, None, 0, -1, 2**31]),
    ("PUT", f"{SUM}aliases/champion/", "version", ["1", 1.5, True, None, 0, 2**31]),
    ("PUT", f"{SUM}aliases/champion/", "allow_signature_change", ["yes", 1, None]),
    ("PUT", f"{SUM}card/", "text", [*ANYTHING_BUT_TEXT, "x" * 200_001, "---\na: [\n---\n", "---\nnever ends"]),
    ("PUT", f"{SUM}tags/x/", "value", [1, True, None, [], {}, "x" * 1_001]),
    ("PUT", f"{VERSION}metrics/x/", "value", ["1", True, None, [], 10**400]),
]  # fmt: skip
NEEDED: dict[tuple[str, str], Any] = {
    ("POST", MODELS): {"name": "wine"}, ("POST", f"{SUM}aliases/"): {"alias": "canary", "version": 1},
    ("PUT", f"{SUM}aliases/champion/"): {"version": 1},
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "field", "values"), WRONG, ids=lambda value: str(value)[:40])
def test_each_field_that_is_wrong_is_named(
    acme: House, alice: httpx.Client, method: str, path: str, field: str, values: list[Any]
) -> None:
    ready_sum_model(acme)
    is_there = method == "PUT" and "aliases" in path

    for value in values:
        body = {**NEEDED.get((method, path), {}), field: value}
        answer = alice.request(method, path, json=body, headers={"If-Match": "*"} if is_there else {})
        assert answer.status_code == 400, (value, answer.text)
        assert any((fault["attr"] or "").startswith(field) for fault in answer.json()["errors"]), (value, answer.text)
        assert all(fault["detail"] for fault in answer.json()["errors"])


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", MODELS), ("PUT", SUM), ("PATCH", SUM), ("PUT", VERSION), ("PATCH", VERSION), ("POST", f"{SUM}aliases/"),
     ("PUT", f"{SUM}aliases/champion/"), ("PUT", f"{SUM}card/"), ("PUT", f"{SUM}tags/x/")],
)  # fmt: skip
def test_unknown_and_read_only_fields_are_refused_with_all_else_that_is_wrong(
    acme: House, alice: httpx.Client, method: str, path: str
) -> None:
    ready_sum_model(acme)
    wrong = {"colour": "red", "url": "x", "description": 1, "version": "x", "text": 1, "name": 1, "value": 1}

    answer = alice.request(method, path, json=wrong)

    codes = {fault["attr"]: fault["code"] for fault in answer.json()["errors"]}
    assert answer.status_code == 400
    assert codes["colour"] == "unknown_field"
    assert codes["url"] in ("read_only", "unknown_field")
    assert len(codes) >= len(wrong) - 1


def test_nobody_sets_what_is_not_theirs_to_set(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)
    before = alice.get(VERSION).json()

    for name, value in before.items():
        if name not in ("description", "tags", "metrics", "lineage"):
            answer = alice.patch(VERSION, json={name: value})
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "read_only"), name
    assert alice.get(VERSION).json() == before


def test_an_editor_describes_own_versions_only(acme: House, http_for: HttpFor) -> None:
    ready_sum_model(acme, by="erin")
    ready_sum_model(acme, by="alice", tweak="second")
    erin = http_for("erin")

    assert erin.patch(VERSION, json={"tags": {"team": "a"}}).status_code == 200
    assert erin.patch(f"{SUM}versions/2/", json={"tags": {"team": "a"}}).status_code == 403
    assert erin.put(f"{SUM}versions/2/metrics/f1/", json={"value": 1}).status_code == 403
    assert http_for("adam").patch(f"{SUM}versions/2/", json={"tags": {"team": "a"}}).status_code == 200


def test_a_version_is_deleted_where_no_alias_points_at_it_and_its_number_is_not_used_again(
    acme: House, alice: httpx.Client
) -> None:
    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")

    assert alice.delete(VERSION).json()["code"] == "version_in_use"
    assert alice.delete(f"{SUM}versions/2/").status_code == 204
    assert alice.get(f"{SUM}versions/2/").status_code == 404
    assert ready_sum_model(acme, tweak="third").number == 3
    assert alice.post(f"{SUM}predict/", json={"a": 1, "b": 2}).status_code == 200


def test_a_version_that_is_being_built_is_not_deleted(acme: House, alice: httpx.Client) -> None:
    listed_version(listed_model(acme, "sum"), acme, state="building", seal="")

    assert alice.delete(VERSION).status_code == 409


def test_two_people_who_set_different_tags_keep_both(acme: House, alice: httpx.Client, http_for: HttpFor) -> None:
    ready_sum_model(acme, by="erin")
    alice.put(f"{SUM}tags/a/", json={"value": "1"})
    http_for("erin").put(f"{SUM}tags/b/", json={"value": "2"})

    assert alice.get(f"{SUM}tags/").json() == {"a": "1", "b": "2"} == alice.get(SUM).json()["tags"]
    assert alice.delete(f"{SUM}tags/a/").status_code == 204
    assert alice.delete(f"{SUM}tags/a/").status_code == 404
    assert alice.get(f"{SUM}tags/b/").json() == {"name": "b", "value": "2"}


def test_there_is_an_end_to_tags(acme: House, alice: httpx.Client) -> None:
    listed_model(acme, "sum", tags={str(number): "" for number in range(100)})

    assert alice.put(f"{SUM}tags/more/", json={"value": "x"}).status_code == 400
    assert alice.put(f"{SUM}tags/99/", json={"value": "x"}).status_code == 200
    assert alice.put(f"{SUM}tags/{'a' * 101}/", json={"value": "x"}).status_code == 400


def test_an_alias_is_made_once_and_linked(acme: House, alice: httpx.Client) -> None:
    ready_sum_model(acme)

    made = alice.post(f"{SUM}aliases/", json={"alias": "canary", "version": 1})

    assert (made.status_code, made.headers["Location"]) == (201, f"http://acme.localhost{SUM}aliases/canary/")
    assert alice.get(made.headers["Location"]).headers["ETag"] == made.headers["ETag"]
    assert alice.post(f"{SUM}aliases/", json={"alias": "canary", "version": 1}).status_code == 409
    assert alice.post(f"{SUM}aliases/", json={"alias": "other", "version": 9}).status_code == 404


def test_the_index_links_what_is_here_and_each_link_leads_somewhere(acme: House, alice: httpx.Client) -> None:
    index = alice.get("/api/v1/").json()

    assert index["models"] == "http://acme.localhost/api/v1/models/"
    assert {"me", "predictions", "schema", "docs"} <= set(index)
    for link in index.values():
        assert alice.get(link).status_code == 200, link


def test_what_is_said_of_a_version_and_of_a_model_is_in_the_audit(acme: House, alice: httpx.Client) -> None:
    from foretell.audit.models import Entry

    ready_sum_model(acme)
    ready_sum_model(acme, tweak="second")
    alice.patch(VERSION, json={"tags": {"team": "a"}})
    alice.put(f"{SUM}card/", json={"text": "# Sum"})
    alice.delete(f"{SUM}versions/2/")

    with acme.inside():
        rows = {row.action: row for row in Entry.objects.order_by("id")}  # the last of each
    assert (rows["version.changed"].target_id, rows["version.changed"].before, rows["version.changed"].after) == (
        "sum:1", {"tags": {}}, {"tags": {"team": "a"}},
    )  # fmt: skip
    assert rows["card.written"].after == {"text": "# Sum"}
    assert rows["version.deleted"].target_id == "sum:2"


@pytest.mark.parametrize(
    "path",
    [*SINGLES, MODELS, f"{MODELS}?search=sum&metric.f1__gte=0&ordering=-name", f"{SUM}versions/", f"{SUM}aliases/",
     f"{SUM}compare/?a=1&b=champion", "/api/v1/cors/"],
)  # fmt: skip
def test_a_browser_gets_a_page_at_each_address_and_the_forms_of_what_may_be_written(
    written: None, alice: httpx.Client, path: str
) -> None:
    page = alice.get(path, headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), page.text[:300]
    assert "ETag" not in page.headers
    writes = [method for method in ("PUT", "POST") if method in alice.options(path).headers["Allow"]]
    for method in writes:
        assert f">{method}</button>" in page.text


def test_a_browser_is_shown_what_went_wrong(written: None, alice: httpx.Client) -> None:
    for path, status in ((f"{MODELS}absent/", 404), (f"{MODELS}?colour=red", 400), (f"{SUM}compare/", 400)):
        page = alice.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert "urn:foretell:problem:" in page.text


def test_the_browsable_forms_write_although_they_cannot_name_a_tag(written: None, alice: httpx.Client) -> None:
    html = {"Accept": "text/html"}

    for path, body in BODIES.items():
        if "aliases" not in path:
            assert alice.put(path, json=body, headers=html).status_code == 200, path
            assert alice.put(path, json=body).status_code == 428  # the control
    assert alice.put(f"{SUM}aliases/champion/", json={"version": 1}, headers=html).status_code == 200

"""Schemathesis over the whole document, as each role: what it says is what is done, and nothing breaks.

Its own environment runs it (tools/test-clients). The short form has a fixed seed; `make fuzz` runs the long one.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cast import PASSWORD, House
from tests.models import ready_sum_model
from tests.served import Served, environment

pytestmark = pytest.mark.acceptance

CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = 20_261_121
ROLES = {"owner": "alice", "admin": "adam", "editor": "erin", "viewer": "bob", "service": "robot", "nobody": None}
LONG_CASES = 20_000
LEAST_ACCEPTED = {"owner": 40, "admin": 15, "editor": 15, "viewer": 10, "service": 10, "nobody": 0}
BEARER = 'bearer = { bearer = "${FORETELL_CREDENTIAL}" }'
BROWSER = 'session = { api_key = "${FORETELL_SESSION}" }\ncsrf = { api_key = "${FORETELL_CSRF}" }'
# An address that may be asked by several people has an answer for each; we have rights of many kinds, and tests/isolation for them.
# allauth's headless API takes no credential of a program's: browsers ask it.
OF_BROWSERS = "^/api/v1/(config$|auth/|account/)"
LEAST_DONE = {"bob": 9, None: 3}  # of its operations; others need a code, or a device
SIGN_OUT = "auth_session_delete"  # would leave all that follows to nobody
IN_BROWSER = """
import os
import schemathesis

@schemathesis.hook
def before_call(context, case, kwargs):
    case.cookies = {**(case.cookies or {}), "foretell-csrf": os.environ["FORETELL_CSRF_COOKIE"]}
    if case.operation.method == "get":  # other methods are tried there too, for which nothing else is asked
        case.headers["X-CSRFToken"] = os.environ["FORETELL_CSRF"]

@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and response.request.method == case.operation.method.upper():
        with open("done.txt", "a") as file:
            print(case.operation.label, file=file)
"""
CHECKS = ("--checks", "all", "--exclude-checks", "object_level_authorization")


@dataclass
class Outcome:
    """What a run found; `said` is for people."""

    report: dict[str, Any]
    said: str

    @property
    def cases(self) -> int:
        return int(self.report["test_cases"]["generated"])

    @property
    def accepted(self) -> int:
        """How many cases got past the door, and did something."""
        phases = [phase for rates in self.report["valid_rates"].values() for phase in rates.values()]
        return sum(phase["accepted"] for phase in phases)

    def check(self) -> None:
        summary = {"failures": self.report["failures"], "errors": self.report["errors"]}
        assert summary == {"failures": [], "errors": []}, self.said[-20_000:]


@pytest.fixture(autouse=True)
def unlimited_sign_ins(acme_served: Served) -> Iterator[None]:
    """Let wrong credentials be refused as such: that there are too many of them is another test's promise."""
    from foretell.accounts import login_limits
    from foretell.limits import Policy, Rate

    with pytest.MonkeyPatch.context() as patch:
        for name in ("ACCOUNT", "ADDRESS", "TENANT", "OVERALL"):
            patch.setattr(login_limits, name, Policy(f"fuzzed {name}", Rate.parse("600000/min burst 600000")))
        yield


def anew(house: House) -> str:
    """Put acme back to how it begins, with two models and a service account, whose key is returned."""
    from foretell.accounts.models import APIKey, User
    from foretell.accounts.services import create_key

    house.reset()
    for name, tweak in (("sum", ""), ("sum", "second"), ("wine", "")):
        ready_sum_model(house, name=name, tweak=tweak)
    with house.inside():
        robot = User.objects.create(
            username="robot", is_person=False, password="!", role="editor", responsible=house.user("alice")
        )
        secret: str = create_key(user=robot, name="fuzz", scopes=["predict", "models:read", "models:write"])[1]
        assert APIKey.objects.filter(user=robot).exists()
    return secret


def fuzzed(acme: Served, role: str, place: Path, *options: str, document: dict[str, Any] | None = None) -> Outcome:
    """Run Schemathesis as a role; each role begins with the same state, whatever the one before it did."""
    robot, person = anew(acme.house), ROLES[role]
    credential = robot if person == "robot" else acme.key(person) if person else "none"
    (place / "openapi.json").write_text(
        json.dumps(document or acme.document(person if person in acme.house.people else "alice"))
    )
    config = (
        CONFIG.read_text() if person else CONFIG.read_text().replace("[auth.openapi]", "").replace("bearer = ", "# ")
    )
    (place / "schemathesis.toml").write_text(config)
    stay = [] if role == "owner" else ["--exclude-operation-id", "me_leave"]  # whoever leaves is known no more
    return run(acme, place, "--exclude-path-regex", OF_BROWSERS, *stay, *options, FORETELL_CREDENTIAL=credential)


def fuzzed_by_browser(acme: Served, person: str | None, place: Path, *options: str) -> Outcome:
    """Run Schemathesis over allauth's headless API, signed in or not: with a session, and the CSRF token in cookie and header."""
    anew(acme.house)
    (place / "openapi.json").write_text(json.dumps(acme.document("alice")))
    (place / "schemathesis.toml").write_text(CONFIG.read_text().replace(BEARER, BROWSER))
    (place / "in_browser.py").write_text(IN_BROWSER)
    shown = browser(acme, person)
    some = ["--include-path-regex", OF_BROWSERS, *(["--exclude-operation-id", SIGN_OUT] if person else [])]
    seed = ("--seed", os.environ.get("FUZZ_SEED", str(SEED)))
    found = run(acme, place, *some, *seed, *options, SCHEMATHESIS_HOOKS="in_browser", **shown)
    done = sorted(set((place / "done.txt").read_text().splitlines()))
    print(f"a browser of {person or 'nobody'}: {found.cases} cases, done were {done}")
    found.check()
    assert len(done) >= LEAST_DONE[person], done
    return found


def browser(acme: Served, person: str | None) -> dict[str, str]:
    """Return what a browser has, for the run's environment."""
    with httpx.Client(base_url=acme.url) as client:
        token = client.get("/api/v1/config").headers["X-CSRFToken"]
        if person is not None:
            body, headers = {"username": person, "password": PASSWORD}, {"X-CSRFToken": token}
            answer = client.post("/api/v1/auth/login", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            headers = {"X-CSRFToken": answer.headers["X-CSRFToken"]}
            answer = client.post("/api/v1/auth/reauthenticate", json={"password": PASSWORD}, headers=headers)
            assert answer.status_code == 200, answer.text
            token = answer.headers["X-CSRFToken"]
        session, cookie = client.cookies.get("foretell-session") or "none", client.cookies["foretell-csrf"]
    return {"FORETELL_SESSION": session, "FORETELL_CSRF": token, "FORETELL_CSRF_COOKIE": cookie}


def run(acme: Served, place: Path, *options: str, **variables: str) -> Outcome:
    command = [
        environment("schemathesis") / "bin" / "schemathesis", "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", acme.url,
        *CHECKS, "--no-shrink", "--warnings", "off", "--report", "json", "--report-json-path", "report.json", *options,
    ]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=900, check=False, cwd=place,
        env={**os.environ, **variables},
    )  # fmt: skip
    assert (place / "report.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return Outcome(json.loads((place / "report.json").read_text()), done.stdout)


@pytest.mark.parametrize("role", ROLES)
def test_what_the_document_says_is_what_is_done(acme_served: Served, tmp_path: Path, role: str) -> None:
    phases = "examples,fuzzing" if role == "owner" else "fuzzing"
    found = fuzzed(acme_served, role, tmp_path, "--phases", phases, "--max-examples", "1", "--seed", str(SEED))
    print(f"{role}: {found.cases} cases, {found.accepted} accepted")

    found.check()
    assert found.cases > 80
    assert found.accepted > LEAST_ACCEPTED[role]


def test_what_the_document_says_is_done_for_browsers_as_well(acme_served: Served, tmp_path: Path) -> None:
    found = fuzzed_by_browser(acme_served, "bob", tmp_path, "--phases", "examples,fuzzing", "--max-examples", "1")

    assert found.cases > 30


@pytest.mark.long
@pytest.mark.parametrize("person", ["bob", None])
def test_it_holds_for_browsers_in_many_cases(acme_served: Served, tmp_path: Path, person: str | None) -> None:
    options = ("--phases", "examples,coverage,fuzzing", "--max-examples", os.environ.get("FUZZ_EXAMPLES", "25"))
    found = fuzzed_by_browser(acme_served, person, tmp_path, *options)

    assert found.cases > 500


@pytest.mark.long
def test_it_holds_for_twenty_thousand_cases(acme_served: Served, tmp_path: Path) -> None:
    seen, roles = {}, os.environ.get("FUZZ_ROLES", ",".join(ROLES)).split(",")
    for role in roles:
        place = tmp_path / role
        place.mkdir()
        options = (
            "--phases",
            "examples,coverage,fuzzing,stateful",
            "--max-examples",
            os.environ.get("FUZZ_EXAMPLES", "25"),
        )
        found = fuzzed(acme_served, role, place, *options, "--seed", os.environ.get("FUZZ_SEED", str(SEED)))
        print(f"{role}: {found.cases} cases, {found.accepted} accepted")
        found.check()
        seen[role] = found.cases

    assert sum(seen.values()) >= LONG_CASES or len(roles) < len(ROLES), seen


@pytest.mark.parametrize("lie", ["a status that is not said", "a field of another type"])
def test_control_a_document_that_does_not_say_what_is_done_is_found(
    acme_served: Served, tmp_path: Path, lie: str
) -> None:
    document = acme_served.document("alice")
    if lie == "a status that is not said":
        del document["paths"]["/api/v1/models/"]["get"]["responses"]["400"]
    else:
        document["components"]["schemas"]["Model"]["properties"]["name"] = {"type": "integer"}

    options = (
        "--include-operation-id",
        "models_list",
        "--phases",
        "coverage",
        "--max-examples",
        "10",
        "--seed",
        str(SEED),
    )
    found = fuzzed(acme_served, "owner", tmp_path, *options, document=document)

    assert {failure["code"] for failure in found.report["failures"]} == {"ST103" if "status" in lie else "ST108"}

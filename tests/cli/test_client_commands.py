"""The commands that speak to a server: results on stdout, words on stderr, exit codes that mean something."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import httpx
import pytest

from tests.client.fake import ALICE, KEY, PREDICTION, FakeServer, answer, model, problem, version

PREDICT = "/api/v1/models/iris/predict/"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class Foretell(Protocol):
    def __call__(self, *arguments: str) -> Outcome: ...


@pytest.fixture
def server() -> FakeServer:
    fake = FakeServer()
    fake.on("GET", "/api/v1/me/", answer(200, ALICE))
    fake.on("GET", "/api/v1/models/iris/", answer(200, model()))
    fake.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version()))
    return fake


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FORETELL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FORETELL_TENANT", raising=False)
    return tmp_path


@pytest.fixture
def address(server: FakeServer) -> Iterator[str]:
    with server.listening() as url:
        yield url


@pytest.fixture
def foretell(home: Path, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Foretell:
    monkeypatch.setenv("FORETELL_URL", address)
    monkeypatch.setenv("FORETELL_API_KEY", KEY)

    def run(*arguments: str) -> Outcome:
        from foretell.cli import main

        monkeypatch.setattr(sys, "argv", ["foretell", *arguments])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


def paged(*items: dict[str, object]) -> httpx.Response:
    return answer(200, {"count": len(items), "next": None, "previous": None, "results": list(items)})


def test_models_are_listed_one_on_a_line(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/", paged(model(), model("titanic", aliases={})))

    found = foretell("models")

    assert found.code == 0
    assert [line.split("\t")[0] for line in found.out.splitlines()] == ["iris", "titanic"]
    assert "champion:1" in found.out


def test_json_is_what_the_server_said(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/", paged(model()))
    server.on("GET", "/api/v1/models/iris/versions/", paged(version()))

    assert json.loads(foretell("models", "--json").out) == [model()]
    assert json.loads(foretell("versions", "iris", "--json").out) == [version()]
    assert json.loads(foretell("show", "iris:1", "--json").out) == version()


def test_an_empty_catalogue_says_how_to_begin(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/", paged())

    found = foretell("models")

    assert (found.code, found.out.strip()) == (0, "")
    assert "foretell push" in found.err


def test_versions_show_state_aliases_and_metrics(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/iris/versions/", paged(version(2, aliases=[], state="failed"), version()))

    lines = foretell("versions", "iris").out.splitlines()

    assert lines[0].split("\t")[:3] == ["2", "failed", "-"]
    assert "accuracy=0.9" in lines[1]


@pytest.mark.parametrize("reference", ["iris", "iris:1", "iris@champion"])
def test_show_tells_of_the_version_that_is_named(foretell: Foretell, reference: str) -> None:
    found = foretell("show", reference)

    assert found.code == 0
    assert "c0ffee" in found.out
    assert "petal length (cm)\tfloat\t1 to 6.9\tcm" in found.out


def test_show_of_a_model_without_a_champion_says_so(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/iris/", answer(200, model(aliases={}, signature=None)))

    assert "no version is served yet" in foretell("show", "iris").out
    assert foretell("show", "iris@next").code == 3


def test_promote_and_rollback_say_what_moved(server: FakeServer, foretell: Foretell) -> None:
    alias = {"model": "iris", "alias": "next", "version": 3}
    server.on("PUT", "/api/v1/models/iris/aliases/next/", answer(200, alias))
    server.on("POST", "/api/v1/models/iris/aliases/next/rollback/", answer(200, {**alias, "version": 2}))

    promoted = foretell("promote", "iris:3", "--alias", "next", "--json")

    assert json.loads(promoted.out) == alias
    assert "promoted iris version 3 to next" in promoted.err
    assert "to version 2" in foretell("rollback", "iris", "--alias", "next").err


WAITING = {
    "id": "0199-a", "model": "iris", "alias": "champion", "version": 3, "from_version": 1, "state": "open", "requested_by": "adam",
    "requested_at": "2026-11-21T10:00:00Z", "decided_by": None, "comment": "", "url": "x",
}  # fmt: skip


def test_where_a_second_person_is_asked_promote_says_how(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/iris/aliases/champion/", answer(200, {"alias": "champion"}, etag='"1"'))
    server.on("PUT", "/api/v1/models/iris/aliases/champion/", answer(202, WAITING))

    asked = foretell("promote", "iris:3")

    assert asked.code == 0
    assert "asked for iris version 3 as champion" in asked.err
    assert "foretell approve 0199-a" in asked.err


@pytest.mark.parametrize(("verb", "said"), [("approve", "approved"), ("decline", "declined"), ("withdraw", "withdrew")])
def test_promotions_are_listed_and_decided(server: FakeServer, foretell: Foretell, verb: str, said: str) -> None:
    server.on("GET", "/api/v1/promotions/", answer(200, {"results": [WAITING], "next": None}))
    server.on("POST", f"/api/v1/models/iris/promotions/0199-a/{verb}/", answer(200, {**WAITING, "state": "done"}))

    listed, decided = foretell("promotions"), foretell(verb, "0199-a", "--comment", "Looks right.", "--json")

    assert listed.out == "0199-a\tiris\tchampion\t1\t3\topen\tadam\t-\n"
    assert (decided.code, json.loads(decided.out)["state"]) == (0, "done")
    assert f"{said} iris version 3 as champion" in decided.err
    assert server.asked[-1].json() == {"comment": "Looks right."}
    assert foretell(verb, "another").code == 5


def test_promote_needs_a_version(foretell: Foretell) -> None:
    found = foretell("promote", "iris")

    assert found.code == 5
    assert "iris:3" in found.err


def test_values_are_typed_by_the_signature(server: FakeServer, foretell: Foretell) -> None:
    server.on("POST", PREDICT, answer(200, PREDICTION))

    found = foretell("predict", "iris", "petal length (cm)=6", "color=", "count=3", "wild=yes")

    assert (found.code, found.out) == (0, "virginica\n")
    assert server.asked[-1].json() == {"petal length (cm)": 6, "color": None, "count": 3, "wild": True}


def test_what_does_not_fit_goes_as_it_is_and_the_server_says_why(server: FakeServer, foretell: Foretell) -> None:
    faults = [{"attr": "count", "code": "not_a_number", "detail": 'Found "x"; expected a number.'}]
    server.on("POST", PREDICT, problem(400, "invalid_input", 'count: Found "x"; expected a number.', faults))

    found = foretell("predict", "iris", "count=x", "unknown=1")

    assert server.asked[-1].json() == {"count": "x", "unknown": "1"}
    assert (found.code, found.out) == (5, "")
    assert 'count: Found "x"' in found.err


def test_a_key_that_may_only_predict_types_values_by_their_looks(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/models/iris/", problem(403, "permission_denied", "No."))
    server.on("POST", PREDICT, answer(200, PREDICTION))

    assert foretell("predict", "iris", "a=1.5", "b=red", "c=true", "d=").code == 0
    assert server.asked[-1].json() == {"a": 1.5, "b": "red", "c": True, "d": None}


def test_warnings_go_to_stderr(server: FakeServer, foretell: Foretell) -> None:
    warnings = [{"attr": "count", "code": "out_of_range", "detail": "Above what was seen in training."}]
    server.on("POST", PREDICT, answer(200, {**PREDICTION, "warnings": warnings}))

    found = foretell("predict", "iris", "count=9")

    assert found.out == "virginica\n"
    assert "warning: count: Above what was seen" in found.err


def test_predict_as_json_is_the_whole_answer(server: FakeServer, foretell: Foretell) -> None:
    server.on("POST", PREDICT, answer(200, PREDICTION))

    assert json.loads(foretell("predict", "iris", "count=1", "--json").out) == PREDICTION


def test_an_alias_or_a_version_can_be_asked(server: FakeServer, foretell: Foretell) -> None:
    server.on("POST", "/api/v1/models/iris/versions/1/predict/", answer(200, PREDICTION))
    server.on("POST", "/api/v1/models/iris@champion/predict/", answer(200, PREDICTION))

    assert foretell("predict", "iris:1", "count=1").code == 0
    assert foretell("predict", "iris@champion", "count=1").code == 0


@pytest.mark.parametrize("text", ['[{"count": 1}]', '{"instances": [{"count": 1}]}'])
def test_rows_of_a_json_file_are_sent_as_rows(server: FakeServer, foretell: Foretell, home: Path, text: str) -> None:
    several = {**PREDICTION, "predictions": ["virginica"], "probabilities": [{"setosa": 0.1, "virginica": 0.9}]}
    server.on("POST", PREDICT, answer(200, several))
    (home / "rows.json").write_text(text)

    assert foretell("predict", "iris", "-f", "rows.json").out == "virginica\t0.1\t0.9\n"
    assert server.asked[-1].json() == {"instances": [{"count": 1}]}


def test_a_csv_file_comes_back_with_its_answers(server: FakeServer, foretell: Foretell, home: Path) -> None:
    server.on("POST", PREDICT, httpx.Response(200, content=b"count,prediction\n1,virginica\n"))
    (home / "rows.csv").write_text("count\n1\n")

    assert foretell("predict", "iris", "-f", "rows.csv").out == "count,prediction\n1,virginica\n"
    assert server.asked[-1].headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict", "iris"], "name=value"),
        (["predict", "iris", "a=1", "-f", "x.csv"], "name=value"),
        (["predict", "iris", "a"], "expected name=value"),
        (["predict", "iris", "a=1", "a=2"], "given twice"),
        (["predict", "iris:0", "a=1"], "names no version"),
        (["predict", "iris@a:1", "a=1"], "names no version"),
        (["predict", "iris", "-f", "none.csv"], "cannot be read"),
        (["push", "none.joblib", "--name", "x"], "cannot be read"),
        (["push", "none.joblib", "--name", "x", "--metric", "a=b"], "expected a number"),
        (["push", "none.joblib", "--name", "x", "--metric", "a=nan"], "finite"),
        (["push", "none.joblib", "--name", "x", "--refine", "none.json"], "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_said_and_exits_5(foretell: Foretell, arguments: list[str], said: str) -> None:
    found = foretell(*arguments)

    assert (found.code, found.out) == (5, "")
    assert said in found.err


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (problem(404, "not_found", "Nothing is here, or it is not yours."), 3),
        (problem(403, "permission_denied", "Your role may not."), 4),
        (problem(401, "not_authenticated", "Not known."), 4),
        (problem(409, "version_not_ready", "It is building."), 1),
        (problem(503, "unavailable", "Not now."), 6),
        (problem(500, "error", "Something broke here."), 1),
    ],
)
def test_each_refusal_has_its_exit_code_and_the_servers_words(
    server: FakeServer, foretell: Foretell, reply: httpx.Response, code: int
) -> None:
    server.on("GET", "/api/v1/models/iris/versions/", reply)

    found = foretell("versions", "iris")

    assert found.code == code
    assert reply.json()["detail"] in found.err
    assert "Traceback" not in found.err


def test_an_absent_server_exits_6(foretell: Foretell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_URL", "http://127.0.0.1:1")

    found = foretell("models")

    assert found.code == 6
    assert "cannot be reached" in found.err


def test_login_stores_what_works_and_the_next_command_uses_it(
    server: FakeServer, foretell: Foretell, address: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    server.on("GET", "/api/v1/models/", paged(model()))
    monkeypatch.delenv("FORETELL_URL")
    monkeypatch.delenv("FORETELL_API_KEY")

    found = foretell("login", "--url", address, "--key", KEY)

    assert found.code == 0
    assert "as alice, owner of acme" in found.err
    assert KEY not in found.err + found.out
    assert (home / "config/foretell/config.toml").stat().st_mode & 0o777 == 0o600
    assert foretell("models").code == 0


def test_login_with_a_wrong_key_stores_nothing(
    server: FakeServer, foretell: Foretell, address: str, home: Path
) -> None:
    server.on("GET", "/api/v1/me/", problem(401, "not_authenticated", "Not known."))

    assert foretell("login", "--url", address, "--key", "ft_wrong").code == 4
    assert not (home / "config").exists()


def test_login_takes_the_demo_of_this_machine(
    foretell: Foretell, address: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.delenv("FORETELL_URL")
    monkeypatch.delenv("FORETELL_API_KEY")
    (home / "home").mkdir()
    (home / "home/demo.json").write_text(json.dumps({"url": address, "tenant": "", "api_key": KEY}))

    assert foretell("login").code == 0


def test_without_a_login_it_says_how(foretell: Foretell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORETELL_URL")

    found = foretell("models")

    assert found.code == 1
    assert "foretell login" in found.err


def logged(number: int) -> dict[str, object]:
    return {
        "id": f"p-{number}", "at": f"2026-11-21T08:00:0{number}Z", "model": "iris", "version": 1, "face": "rest", "user": "alice",
        "key": None, "request_id": "r", "n_rows": 1, "duration_ms": 0.07, "n_warnings": 0,
    }  # fmt: skip


def page_of(*numbers: int) -> httpx.Response:
    return answer(200, {"next": None, "previous": None, "results": [logged(number) for number in numbers]})


def test_logs_show_the_newest_last(server: FakeServer, foretell: Foretell) -> None:
    server.on("GET", "/api/v1/predictions/", page_of(3, 2, 1))

    outcome = foretell("logs", "iris:1")

    assert [line.split("\t")[-1] for line in outcome.out.splitlines()] == ["p-1", "p-2", "p-3"]
    assert (server.asked[-1].query["model"], server.asked[-1].query["version"]) == ("iris", "1")
    assert [one["id"] for one in json.loads(foretell("logs", "iris", "--json").out)] == ["p-1", "p-2", "p-3"]


def test_logs_follow_what_comes_once_each_until_ctrl_c(
    server: FakeServer, foretell: Foretell, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", "/api/v1/predictions/", page_of(2, 1), page_of(3, 2, 1), page_of(5, 4, 3), page_of(5))
    waits = iter([None, None, None])

    def wait(_: float) -> None:
        if next(waits, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr("foretell.cli.prediction_log.time.sleep", wait)

    outcome = foretell("logs", "iris", "--follow", "--json")

    assert outcome.code == 130
    assert [json.loads(line)["id"] for line in outcome.out.splitlines()] == ["p-1", "p-2", "p-3", "p-4", "p-5"]

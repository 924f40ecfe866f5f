"""`foretell up` keeps its promises, asked from outside: by the command line, the client and HTTP."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from foretell.client import NotFound
from foretell.embedded.postgres import Postgres
from tests.acceptance.installation import (
    FORETELL,
    RECOVERY_S,
    Door,
    Installation,
    free_port,
    wait_until,
)

pytestmark = pytest.mark.acceptance

VIRGINICA = {"sepal length (cm)": 7.9, "sepal width (cm)": 2.9, "petal length (cm)": 6.3, "petal width (cm)": 1.8}
SETOSA = {**VIRGINICA, "petal length (cm)": 2, "petal width (cm)": 1}
ROSE = {"pclass": 1, "sex": "female", "age": 17, "sibsp": 1, "parch": 2, "fare": 100.0, "embarked": "S"}


def asked(door: Door, model: str, row: dict[str, Any], *, headers: dict[str, str] | None = None) -> httpx.Response:
    url = f"{door.url}/api/v1/models/{model}/predict/"
    return httpx.post(url, json=row, headers=door.headers | (headers or {}), timeout=30)


def iris_is_served(door: Door) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        answer = asked(door, "iris", VIRGINICA)
        return answer.status_code == 200 and answer.json()["prediction"] == "virginica"
    return False


def alive(family: list[Any]) -> list[Any]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    return alive([process for process in family if process.is_running()])


# --- the examples ---


@pytest.mark.parametrize(("row", "species"), [(VIRGINICA, "virginica"), (SETOSA, "setosa")])
def test_iris_answers_in_any_order_of_keys(demo: Door, row: dict[str, Any], species: str) -> None:
    answers = [asked(demo, "iris", order).json() for order in (row, dict(reversed(row.items())))]

    assert [answer["prediction"] for answer in answers] == [species, species]
    assert answers[0]["probabilities"] == answers[1]["probabilities"]


def test_titanic_answers_in_words(demo: Door) -> None:
    answer = asked(demo, "titanic", ROSE)

    assert answer.status_code == 200
    assert answer.json()["prediction"] == "survived"
    assert set(answer.json()["probabilities"]) == {"died", "survived"}


def test_addition_adds(demo: Door) -> None:
    with demo.client() as client:
        assert client.predict("addition", {"a": 2, "b": 40.5}).prediction == 42.5


def test_the_metrics_of_the_training_are_kept(demo: Door) -> None:
    with demo.client() as client:
        assert client.version("iris", 1).metrics == {"cv_accuracy": 0.9667, "test_accuracy": 0.9667}


def test_a_stranger_is_not_answered(demo: Door) -> None:
    answer = httpx.post(f"{demo.url}/api/v1/models/iris/predict/", json=VIRGINICA)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


# --- the command line ---


def test_login_finds_the_key_that_up_left(installation: Installation, demo: Door) -> None:
    environment = installation.environment | {"XDG_CONFIG_HOME": str(installation.home.parent / "config")}
    done = subprocess.run([FORETELL, "login", "--json"], env=environment, capture_output=True, text=True, timeout=30,
                          check=True, cwd=installation.home.parent)  # fmt: skip

    assert json.loads(done.stdout) == {"url": demo.url, "tenant": "demo", "username": demo.username, "role": "owner"}


def test_predict_prints_the_bare_answer(installation: Installation, demo: Door) -> None:
    outcome = installation.run("predict", "iris", *(f"{name}={value}" for name, value in VIRGINICA.items()))

    assert (outcome.code, outcome.out) == (0, "virginica\n")


def test_what_there_is_comes_as_json(installation: Installation, demo: Door) -> None:
    models = installation.run("models", "--json").json
    versions = installation.run("versions", "iris", "--json").json
    shown = installation.run("show", "iris", "--json").json

    assert {"iris", "titanic", "addition"} <= {model["name"] for model in models}
    assert [version["version"] for version in versions] == [1]
    assert (shown["state"], shown["aliases"]) == ("ready", ["champion"])


def test_the_way_in_is_private(installation: Installation, demo: Door) -> None:
    modes = {name: (installation.home / name).stat().st_mode & 0o777 for name in ("demo.json", "secret_key")}

    assert modes == {"demo.json": 0o600, "secret_key": 0o600}


def test_doctor_finds_nothing_that_fails(installation: Installation, demo: Door) -> None:
    findings = {finding["what"]: finding["state"] for finding in installation.run("doctor", "--json").json}

    assert (findings["database"], findings["worker"], findings["migrations"]) == ("ok", "ok", "ok")


# --- tenants made while it runs ---


@pytest.mark.usefixtures("wine")
def test_a_new_tenant_is_served_by_its_host_and_by_its_prefix(
    installation: Installation, acme: Door, files: Path
) -> None:
    with (files / "wine.csv").open() as table:
        row = {name: float(value) for name, value in next(csv.DictReader(table)).items()}
    truth = row.pop("target")

    by_prefix = asked(acme, "wine", row)
    by_host = httpx.post(
        f"{installation.root}/api/v1/models/wine/predict/",
        json=row,
        headers=acme.headers | {"Host": f"acme.localhost:{installation.port}"},
    )

    assert acme.url.endswith("/t/acme")
    assert (by_prefix.status_code, by_host.status_code) == (200, 200)
    assert by_prefix.json()["prediction"] == by_host.json()["prediction"] == truth


@pytest.mark.usefixtures("wine")
def test_another_tenant_sees_nothing_of_it(installation: Installation, acme: Door, globex: Door) -> None:
    with globex.client() as client:
        assert client.models() == []
    mine, absent = (
        httpx.get(f"{globex.url}/api/v1/models/{name}/", headers=globex.headers | {"X-Request-ID": "one-and-the-same"})
        for name in ("wine", "nine")
    )
    at_acmes_door = httpx.get(f"{acme.url}/api/v1/models/", headers=globex.headers)

    assert (mine.status_code, absent.status_code) == (404, 404)
    assert mine.text.replace("wine", "nine") == absent.text
    assert at_acmes_door.status_code == 401


def test_a_suspended_tenant_is_refused_until_it_is_resumed(
    installation: Installation, globex: Door, demo: Door
) -> None:
    def status() -> int:
        return httpx.get(f"{globex.url}/api/v1/models/", headers=globex.headers).status_code

    before = status()
    assert installation.run("tenant", "suspend", "globex").code == 0
    try:
        wait_until(lambda: status() == 403, within_s=RECOVERY_S)
        assert iris_is_served(demo)
    finally:
        assert installation.run("tenant", "resume", "globex").code == 0

    assert before == 200
    wait_until(lambda: status() == 200, within_s=RECOVERY_S)


# --- files that are not what they should be ---


@pytest.mark.parametrize("what", ["that runs code", "that is corrupted", "of an unfitted estimator"])
def test_a_bad_file_ends_as_a_failed_version_with_a_reason(
    installation: Installation, demo: Door, files: Path, place: Path, what: str
) -> None:
    trace = place / "trace"
    whole = (files / "wine.joblib").read_bytes()
    name, content = {
        "that runs code": ("evil.pkl", f"cposix\nsystem\n(S'touch {trace}'\ntR.".encode()),
        "that is corrupted": ("corrupted.joblib", whole[: len(whole) // 2]),
        "of an unfitted estimator": ("unfitted.joblib", (files / "unfitted.joblib").read_bytes()),
    }[what]
    bad = place / name
    bad.write_bytes(content)

    outcome = installation.run("push", bad, "--name", bad.stem, "--sample", files / "wine.csv", "--target", "target",
                               "--convert", "server")  # fmt: skip

    assert outcome.code not in (0, 2)
    assert "Traceback" not in outcome.err
    with demo.client() as client:
        version = client.version(bad.stem, 1)
    assert version.has_failed
    assert version.reason is not None
    assert version.reason.message in " ".join(outcome.err.split())
    assert not trace.exists()
    assert iris_is_served(demo)


# --- only one at a time ---


def test_a_second_start_on_one_home_says_who_holds_it(installation: Installation, demo: Door) -> None:
    assert installation.process is not None
    environment = installation.environment | {"PORT": str(free_port())}

    second = subprocess.run(
        [FORETELL, "up"], env=environment, capture_output=True, text=True, timeout=30, check=False, cwd=installation.home.parent
    )  # fmt: skip

    assert second.returncode == 1
    assert str(installation.process.pid) in second.stderr
    assert "Stop it first" in second.stderr
    assert iris_is_served(demo)


def test_a_port_in_use_is_named(installation: Installation, demo: Door, place: Path) -> None:
    environment = installation.environment | {"FORETELL_HOME": str(place / "other")}

    second = subprocess.run(
        [FORETELL, "up"], env=environment, capture_output=True, text=True, timeout=30, check=False, cwd=place
    )

    assert second.returncode == 1
    assert f"127.0.0.1:{installation.port}: another program listens there" in " ".join(second.stderr.split())


# --- what is killed comes back ---


@pytest.mark.parametrize("part", ["web", "worker", "sandbox"])
def test_a_killed_part_is_started_again(installation: Installation, demo: Door, part: str) -> None:
    before = set(installation.pids(part))
    victim = min(before)

    os.kill(victim, signal.SIGKILL)

    def is_back() -> bool:
        now = set(installation.pids(part))
        return victim not in now and len(now) == len(before) and installation.answers() and iris_is_served(demo)

    seconds = wait_until(is_back, within_s=RECOVERY_S, or_say=installation.last_lines)
    print(f"{part} is back after {seconds:.1f} s")


@pytest.mark.usefixtures("wine")
def test_a_push_survives_the_death_of_its_worker(installation: Installation, acme: Door, files: Path) -> None:
    pushed = installation.run(
        "push", files / "wine.joblib", "--name", "orphan", "--sample", files / "wine.csv", "--target", "target",
        "--convert", "server", "--no-wait", "--json", door=acme,
    ).json  # fmt: skip
    os.kill(installation.pids("worker")[0], signal.SIGKILL)

    with acme.client() as client:
        seconds = wait_until(
            lambda: client.version("orphan", pushed["version"]).state in ("ready", "failed"),
            within_s=120,
            or_say=installation.last_lines,
        )
        version = client.version("orphan", pushed["version"])

    print(f"{version.state} {seconds:.1f} s after the worker was killed")
    assert version.is_ready or version.reason is not None


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="who the database is, is read from /proc")
def test_a_killed_database_is_started_again(installation: Installation, demo: Door) -> None:
    victim = Postgres(installation.home / "postgres" / "data").pid
    assert victim is not None

    os.kill(victim, signal.SIGKILL)

    def is_back() -> bool:
        now = Postgres(installation.home / "postgres" / "data").pid
        return now not in (victim, None) and installation.answers() and iris_is_served(demo)

    seconds = wait_until(is_back, within_s=RECOVERY_S, or_say=installation.last_lines)
    print(f"the database is back after {seconds:.1f} s")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's signal at a parent's death is Linux's")
def test_no_part_outlives_a_killed_supervisor_and_the_next_start_takes_over(
    installation: Installation, demo: Door
) -> None:
    """The database may be left, where no part was there to stop it: the next start takes it over."""
    assert installation.process is not None
    family = psutil.Process(installation.process.pid).children(recursive=True)

    installation.process.kill()
    installation.process.wait()

    seconds = wait_until(lambda: not alive(family), within_s=RECOVERY_S, or_say=installation.last_lines)
    started_s = installation.start()
    print(f"all were gone after {seconds:.1f} s; started again in {started_s:.1f} s")
    assert iris_is_served(demo)


# --- the end, and the next beginning ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_nothing_behind_and_the_next_start_has_all_data(
    installation: Installation, demo: Door, number: signal.Signals
) -> None:
    family = installation.family()
    began = time.monotonic()

    code = installation.stop(number)

    stopped_s = time.monotonic() - began
    left = alive(family)
    sockets = installation.sockets()
    started_s = installation.start()
    print(f"{number.name}: stopped in {stopped_s:.1f} s, started again in {started_s:.1f} s")
    assert (code, left, sockets) == (0, [], [])
    assert installation.demo == demo
    assert iris_is_served(demo)
    assert json.loads(installation.run("versions", "iris", "--json").out)[0]["version"] == 1


def test_what_is_not_there_has_an_exit_code_of_its_own(installation: Installation, demo: Door) -> None:
    shown = installation.run("show", "no-such-model")

    assert (shown.code, shown.out) == (3, "")
    with pytest.raises(NotFound), demo.client() as client:
        client.model("no-such-model")

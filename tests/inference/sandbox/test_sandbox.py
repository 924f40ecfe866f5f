import os
import signal
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from foretell.inference import errors
from foretell.inference.errors import (
    InvalidInput,
    JobCrashed,
    JobOutOfMemory,
    JobTimedOut,
    MissingPackage,
    RunFailed,
    SandboxUnavailable,
)
from foretell.inference.sandbox import Limits, Sandbox, inside, spawn_sandbox


def test_a_payload_arrives_and_returns_unchanged(sandbox: Sandbox) -> None:
    payload: dict[str, object] = {
        "none": None,
        "bool": True,
        "int": -(2**53),
        "float": 0.1,
        "str": "ß",
        "bytes": b"\x00" * 100_000,
        "list": [1, [2]],
        "dict": {},
    }
    assert sandbox.run("echo", payload) == payload


def test_a_job_knows_that_it_is_inside_and_the_client_that_it_is_not(sandbox: Sandbox) -> None:
    assert sandbox.run("identity", {})["inside"] is True
    assert inside() is False


def test_each_job_is_a_process_of_its_own_without_a_place(own_arena: Any) -> None:
    first, second = (own_arena.sandbox.run("identity", {}) for _ in range(2))
    assert first["pid"] != second["pid"]
    assert first["parent"] == own_arena.parent.pid
    assert first["cwd"] == "/"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_under_root_each_job_is_a_user_of_its_own(sandbox: Sandbox) -> None:
    uids = {sandbox.run("identity", {})["uid"] for _ in range(3)}
    assert len(uids) == 3
    assert min(uids) > 60_000


def test_threads_work_within_a_job(sandbox: Sandbox) -> None:
    assert sandbox.run("use_threads", {})["squares"] == [number * number for number in range(10)]


def test_many_jobs_run_at_once_from_many_threads(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda number: sandbox.run("echo", {"number": number}), range(64)))
    assert answers == [{"number": number} for number in range(64)]


def test_long_columns_travel_as_bytes_and_short_ones_as_values(sandbox: Sandbox) -> None:
    answer = sandbox.run("big", {"count": 100_000})
    assert len(answer["values"]) == 100_000
    assert len(answer["raw"]) == 800_000


@pytest.mark.parametrize(
    "kind",
    ["MissingPackage", "VersionMismatch", "NotFitted", "UnsafeGraph", "ParityFailed", "RunFailed", "InvalidSignature"],
)
def test_an_error_of_ours_arrives_as_its_own_class(sandbox: Sandbox, kind: str) -> None:
    with pytest.raises(getattr(errors, kind)) as caught:
        sandbox.run(
            "fail", {"kind": kind, "message": "what, and what to do", "details": {"package": "skfolio", "many": [1, 2]}}
        )
    assert type(caught.value).__name__ == kind
    assert caught.value.message == "what, and what to do"
    assert caught.value.details == {"package": "skfolio"}  # scalars only


def test_an_error_code_of_its_own_arrives_too(sandbox: Sandbox) -> None:
    with pytest.raises(errors.UnsupportedModel) as caught:
        sandbox.run("fail", {"kind": "UnsupportedModel", "message": "no", "details": {"code": "is_a_transformer"}})
    assert caught.value.code == "is_a_transformer"


def test_invalid_input_arrives_with_its_problems(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput) as caught:
        sandbox.run("fail_with_problems", {})
    assert [problem.attr for problem in caught.value.problems] == ["age", "fare"]


@pytest.mark.parametrize("kind", ["SandboxUnavailable", "SandboxIncomplete", "JobTimedOut"])
def test_a_job_cannot_pass_its_error_off_as_the_sandboxs(sandbox: Sandbox, kind: str) -> None:
    with pytest.raises(JobCrashed):
        sandbox.run("fail", {"kind": kind, "message": "trust me"})


def test_an_unknown_job_is_refused_with_what_there_is(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxUnavailable, match=r"knows no 'nothing'; it knows .*echo"):
        sandbox.run("nothing", {})


def test_processor_time_is_limited(sandbox: Sandbox) -> None:
    with pytest.raises(JobTimedOut, match="1 s of processor time"):
        sandbox.run("spin", {}, limits=Limits(cpu_s=1, wall_s=10))


def test_a_job_that_ignores_the_limits_signal_is_killed(sandbox: Sandbox) -> None:
    with pytest.raises(JobTimedOut, match="processor time"):
        sandbox.run("spin_and_ignore_signals", {}, limits=Limits(cpu_s=1, wall_s=10))


def test_wall_time_is_limited(sandbox: Sandbox) -> None:
    with pytest.raises(JobTimedOut, match=r"after 0\.2 s"):
        sandbox.run("sleep_forever", {}, limits=Limits(wall_s=0.2))


@pytest.mark.parametrize("bomb", ["memory_bomb", "mmap_bomb"])
def test_memory_is_limited(sandbox: Sandbox, bomb: str) -> None:
    with pytest.raises((JobOutOfMemory, JobCrashed)) as caught:
        sandbox.run(bomb, {}, limits=Limits(memory_bytes=128 << 20))
    assert isinstance(caught.value, JobOutOfMemory) or "Cannot allocate memory" in caught.value.message


def test_a_crash_is_named_by_its_signal(sandbox: Sandbox) -> None:
    with pytest.raises(JobCrashed, match="SIGSEGV"):
        sandbox.run("segfault", {})
    with pytest.raises(JobCrashed, match="SIGABRT"):
        sandbox.run("abort", {})


def test_a_forbidden_call_is_named_as_such(sandbox: Sandbox, own_arena: Any) -> None:
    with pytest.raises(JobCrashed, match="system call that the sandbox forbids"):
        sandbox.run("io_uring", own_arena.world.target())


def test_an_answer_over_the_limit_is_not_read(sandbox: Sandbox) -> None:
    with pytest.raises(JobCrashed, match="at most 1,000 are read"):
        sandbox.run("echo", {"x": b"x" * 2000}, limits=Limits(result_bytes=1000))


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("answer_garbage", "not a msgpack map"),
        ("answer_a_list", "not a msgpack map"),
        ("answer_nested_too_deep", "not a msgpack map"),
        ("answer_with_an_extension", "not a msgpack map"),
        ("answer_with_numbers_as_names", "not a map of named values"),
        ("answer_out_of_turn", "out of turn"),
        ("answer_with_an_expansion_bomb", "more than 2,000,000 values"),
        ("promise_an_endless_answer", "at most"),
        ("exit_at_once", "exit code 0"),
    ],
)
def test_a_broken_answer_is_a_crash(sandbox: Sandbox, attack: str, words: str) -> None:
    with pytest.raises(JobCrashed, match=words):
        sandbox.run(attack, {}, limits=Limits(wall_s=5))


def test_a_server_keeps_its_state_between_calls(sandbox: Sandbox) -> None:
    with sandbox.open("counter", {"start": 10}) as channel:
        assert [channel.call({}, timeout_s=5)["count"] for _ in range(3)] == [11, 12, 13]
        assert channel.is_alive
    assert not channel.is_alive


def test_an_error_of_a_call_leaves_the_server_as_it_was(sandbox: Sandbox) -> None:
    with sandbox.open("counter", {"start": 0}) as channel:
        with pytest.raises(RunFailed):
            channel.call({"action": "raise"}, timeout_s=5)
        assert channel.call({}, timeout_s=5) == {"count": 2}


def test_a_server_that_cannot_open_says_why(sandbox: Sandbox) -> None:
    with pytest.raises(MissingPackage, match="nothing_like_it"):
        sandbox.open("never_opens", {})


def test_a_call_that_is_late_kills_the_server(own_arena: Any) -> None:
    channel = own_arena.sandbox.open("counter", {"start": 0})
    with pytest.raises(JobTimedOut, match=r"within 0\.2 s"):
        channel.call({"action": "sleep"}, timeout_s=0.2)
    assert not channel.is_alive
    assert_no_strays(own_arena)
    with pytest.raises(JobCrashed, match="closed"):
        channel.call({}, timeout_s=1)


def test_a_server_that_dies_is_noticed_at_once(sandbox: Sandbox) -> None:
    with sandbox.open("counter", {"start": 0}) as channel, pytest.raises(JobCrashed, match="SIGABRT"):
        channel.call({"action": "die"}, timeout_s=30)


def test_calls_from_many_threads_take_turns(sandbox: Sandbox) -> None:
    with sandbox.open("counter", {"start": 0}) as channel, ThreadPoolExecutor(8) as executor:
        counts = list(executor.map(lambda _: channel.call({}, timeout_s=10)["count"], range(200)))
    assert sorted(counts) == list(range(1, 201))


def test_a_job_whose_client_leaves_is_killed(own_arena: Any) -> None:
    channel = own_arena.sandbox.open("counter", {"start": 0})
    assert own_arena.strays()
    channel.close()
    assert_no_strays(own_arena)


def test_closing_ends_a_call_that_waits_in_another_thread(sandbox: Sandbox) -> None:
    channel = sandbox.open("counter", {"start": 0})
    threading.Timer(0.1, channel.close).start()
    began = time.monotonic()
    with pytest.raises(JobCrashed):
        channel.call({"action": "sleep"}, timeout_s=30)
    assert time.monotonic() - began < 3


def test_the_socket_is_for_its_owner_alone(own_arena: Any) -> None:
    assert stat.S_IMODE(own_arena.socket_path.stat().st_mode) & 0o077 == 0


def test_no_sandbox_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="foretell sandbox"):
        Sandbox(tmp_path / "nothing.sock").run("echo", {})


@pytest.mark.usefixtures("_needs_layers")
class TestAPrivateSandbox:
    @pytest.fixture(autouse=True)
    def _jobs_can_be_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "hostile"), prepend=os.pathsep)

    def test_it_starts_answers_and_leaves_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "private.sock"
        with spawn_sandbox(socket_path=path, jobs="attacks") as sandbox:
            assert sandbox.run("echo", {"a": 1}) == {"a": 1}
            with (
                pytest.raises(SandboxUnavailable, match="Another sandbox listens"),
                spawn_sandbox(socket_path=path, jobs="attacks"),
            ):
                pass
        assert not path.exists()

    def test_jobs_die_with_their_parent_even_when_it_is_killed(self) -> None:
        with spawn_sandbox(jobs="attacks") as sandbox:
            channel = sandbox.open("counter", {"start": 0})
            identity = sandbox.run("identity", {})
            threading.Timer(0.1, os.kill, (identity["parent"], signal.SIGKILL)).start()
            with pytest.raises(JobCrashed):
                channel.call({"action": "sleep"}, timeout_s=5)
            assert not channel.is_alive

    def test_jobs_that_cannot_be_imported_are_named(self) -> None:
        with pytest.raises(SandboxUnavailable, match="no_such_jobs"), spawn_sandbox(jobs="no_such_jobs"):
            pass


def assert_no_strays(arena: Any) -> None:
    deadline = time.monotonic() + 2
    while arena.strays():
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""What the attacks would reach if a layer were not there: proof that they are real, and what each layer is good for.

The sandbox has no switch for this: a child of the test applies fewer layers by hand. It always becomes another user
first, where it can, so that no attack runs as root.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from attacks import ATTACKS, UNSAFE
from world import World

from foretell.inference.errors import SandboxIncomplete
from foretell.inference.sandbox import Limits, Sandbox, landlock, lockdown
from foretell.inference.sandbox.lockdown import LAYERS, LayerMissing, apply_layers, lock_down

UID = 1_890_060_000 if os.geteuid() == 0 else None
LIMITS = Limits(cpu_s=2, wall_s=3.0, memory_bytes=1 << 30)
SAFE = sorted(set(ATTACKS) - UNSAFE)


@pytest.fixture(scope="module")
def world(_needs_layers: None) -> Iterator[World]:
    with World(uid=UID, threads_allowed=64, result_bytes=1 << 20) as here:
        yield here


def escapes_with(layers: tuple[str, ...], world: World) -> set[str]:
    """Run every safe attack in a child with just these layers; return those that get out."""
    escaped = set()
    for attack in SAFE:
        outcome = in_child(layers, attack, world.target(is_control=True))
        if world.escapes(outcome):
            escaped.add(attack)
            world.repair()
    return escaped


def in_child(layers: tuple[str, ...], attack: str, target: dict[str, Any]) -> object:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_attacked(layers, attack, target, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as answers:
        answer = answers.read()
    os.waitpid(pid, 0)
    return msgspec.msgpack.decode(answer) if answer else None


def _be_attacked(layers: tuple[str, ...], attack: str, target: dict[str, Any], writer: int) -> None:
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(writer, 3)
        os.closerange(4, 4096)
        apply_layers(layers, LIMITS, uid=UID)
        os.write(3, msgspec.msgpack.encode(ATTACKS[attack](target)))
    finally:
        os._exit(0)


def without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in LAYERS if name not in names)


def test_with_every_layer_nothing_gets_out(world: World) -> None:
    assert escapes_with(LAYERS, world) == set()


def test_limits_and_another_user_are_no_sandbox(world: World) -> None:
    escaped = escapes_with(("rlimits", "privileges"), world)
    assert {"read_passwd", "read_a_world_readable_secret", "connect_tcp", "send_udp", "fork"} <= escaped
    assert {"shellcode_in_writable_memory", "shellcode_by_a_doubled_mapping", "create_an_empty_file"} <= escaped
    assert len(escaped) >= 30


def test_without_landlock_files_can_be_read(world: World) -> None:
    escaped = escapes_with(without("landlock"), world)
    assert {"read_passwd", "read_a_world_readable_secret", "read_another_tenants_artifact"} <= escaped
    assert not {"connect_tcp", "fork", "shellcode_in_writable_memory"} & escaped


def test_without_seccomp_there_are_processes_sockets_and_new_code(world: World) -> None:
    escaped = escapes_with(without("seccomp"), world)
    assert {
        "fork",
        "send_udp",
        "make_a_socket_pair",
        "shellcode_in_writable_memory",
        "shellcode_by_mprotect",
    } <= escaped
    assert not {"read_passwd", "read_a_world_readable_secret", "write_a_file"} & escaped


def test_without_limits_descriptors_are_endless(world: World) -> None:
    assert "exhaust_descriptors" in escapes_with(without("rlimits"), world)


def test_a_deleted_variable_is_still_on_the_stack() -> None:
    program = "import os, attacks; os.environ.clear(); print(attacks.ATTACKS['search_the_stack_for_the_first_environment']({}))"
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATABASE_URL": "SECRET-OF-A-TEST",
    }
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert "SECRET-OF-A-TEST" in printed.stdout


@pytest.mark.parametrize("layer", LAYERS)
def test_a_missing_layer_is_never_run_without(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As lock_down is told that a layer cannot be had, it raises and does not count as inside."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(f"no {layer} here")

    doors = {
        "rlimits": (lockdown, "apply_rlimits"),
        "privileges": (lockdown, "drop_privileges"),
        "no_new_privs": (lockdown, "_renounce_new_privileges"),
        "landlock": (landlock, "build_ruleset"),
        "seccomp": (lockdown, "confine_syscalls"),
    }
    for name, door in doors.items():
        monkeypatch.setattr(*door, refuse if name == layer else lambda *arguments, **options: 0)
    monkeypatch.setattr(landlock, "enforce", lambda ruleset: None)
    with pytest.raises(LayerMissing) as caught:
        lock_down(LIMITS, uid=UID)
    assert caught.value.layer == layer
    assert not lockdown.inside()


@pytest.mark.usefixtures("_needs_layers")
def test_where_landlock_is_masked_the_payload_is_never_sent(incomplete_sandbox: Sandbox) -> None:
    with pytest.raises(SandboxIncomplete, match="landlock is missing") as caught:
        incomplete_sandbox.run("echo", {"secret": "artifact"})
    assert caught.value.details == {"layer": "landlock"}
    with pytest.raises(SandboxIncomplete):
        incomplete_sandbox.open("counter", {"start": 0})

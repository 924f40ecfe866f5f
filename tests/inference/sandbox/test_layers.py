import os
from pathlib import Path

import pytest

from foretell.inference.sandbox import Layer, kernel, landlock, layers, preloading, seccomp
from foretell.inference.sandbox.environment import clean_environment
from foretell.inference.sandbox.lockdown import LAYERS
from foretell.inference.sandbox.preloading import load_jobs, preload
from foretell.inference.sandbox.privileges import throwaway_uids


def by_name() -> dict[str, Layer]:
    return {layer.name: layer for layer in layers()}


def test_every_lock_is_probed_and_required() -> None:
    required = [layer.name for layer in layers() if layer.required]
    assert required == list(LAYERS)
    assert all(layer.detail for layer in layers())


def test_landlock_says_what_its_version_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    details = {}
    for abi in (1, 4, 6):
        monkeypatch.setattr(landlock, "abi", lambda abi=abi: abi)
        details[abi] = by_name()["landlock"].detail
    assert details == {1: "ABI 1: files", 4: "ABI 4: files, TCP", 6: "ABI 6: files, TCP, signals and abstract sockets"}


def test_an_old_kernel_is_told_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr(seccomp, "is_available", lambda: False)
    assert not by_name()["landlock"].available
    assert "5.13" in by_name()["landlock"].detail
    assert not by_name()["seccomp"].available


def test_elsewhere_than_on_linux_nothing_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "IS_LINUX", False)
    assert not any(layer.available for layer in layers())
    assert landlock.abi() == 0
    assert not seccomp.is_available()


@pytest.mark.skipif(os.geteuid() != 0, reason="matters to root alone")
def test_a_python_that_others_cannot_reach_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setattr(landlock, "readable_paths", lambda: (home,))
    assert str(tmp_path) in by_name()["interpreter"].detail
    assert not by_name()["interpreter"].available
    monkeypatch.setattr(landlock, "readable_paths", lambda: (Path("/usr/lib"),))
    assert by_name()["interpreter"].available


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_draws_users_that_nobody_else_has() -> None:
    uids = throwaway_uids()
    assert uids is not None
    assert len(uids) > 4000
    assert 0 not in uids
    assert 65_534 not in uids


def test_the_environment_keeps_what_python_needs_and_no_secret() -> None:
    kept = clean_environment(
        {
            "PATH": "/bin",
            "DATABASE_URL": "s",
            "SECRET_KEY": "s",
            "AWS_SECRET_ACCESS_KEY": "s",
            "PYTHONPATH": "/x",
            "HOME": "/root",
        }
    )
    assert kept["PATH"] == "/bin"
    assert kept["PYTHONPATH"] == "/x"
    assert kept["OMP_NUM_THREADS"] == "1"
    assert not {"DATABASE_URL", "SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "HOME"} & set(kept)
    assert clean_environment(kept) == kept


def test_a_preload_leaves_out_what_is_not_installed() -> None:
    preload(("no_such_package_anywhere", "json.*", "no_such_package.*"))


def test_a_module_without_jobs_offers_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preloading, "DEFAULT_PRELOAD", ())
    jobs = load_jobs("json")
    assert dict(jobs.jobs) == {}
    assert dict(jobs.servers) == {}

"""One installation per home, and files that only their owner reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foretell.embedded.home import HomeInUse, locked_home, prepare_home, write_private
from foretell.env import MalformedVariable

HOLD = """
import sys, time
from pathlib import Path
from foretell.embedded.home import locked_home
with locked_home(Path(sys.argv[1]), url="http://localhost:1"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_others_do_not_look_into_a_home(tmp_path: Path) -> None:
    prepare_home(tmp_path / "home")

    assert (tmp_path / "home").stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)
    assert (tmp_path / "home" / "run").stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_one_is_named_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    for home in (file, file / "below"):
        with pytest.raises(MalformedVariable, match=rf"FORETELL_HOME is '{home}'; expected a directory .*{file}"):
            prepare_home(home)


def test_a_home_whose_path_is_too_long_for_sockets_is_refused_before_anything_starts(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)

    with pytest.raises(MalformedVariable, match="expected a shorter path"):
        prepare_home(home)

    assert not home.exists()


def test_a_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            with (
                pytest.raises(HomeInUse, match=rf"process {holder.pid}, http://localhost:1\)"),
                locked_home(tmp_path, url="http://localhost:2"),
            ):
                pass
        finally:
            holder.kill()


def test_the_lock_of_a_killed_holder_is_gone_with_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()

    with locked_home(tmp_path, url="http://localhost:2"):
        assert "localhost:2" in (tmp_path / "up.lock").read_text()


def test_a_home_can_be_held_again_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        with locked_home(tmp_path, url="http://localhost:1"):
            pass

    assert (tmp_path / "up.lock").read_text() == ""


def test_a_private_file_is_its_owners_from_the_start(tmp_path: Path) -> None:
    secret = tmp_path / "demo.json"
    secret.write_text("old")
    secret.chmod(0o644)

    write_private(secret, "new")

    assert secret.read_text() == "new"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [secret]

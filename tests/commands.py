"""Running a command line in this process, as a shell would."""

from collections.abc import Callable

import pytest

from foretell.cli import app as cli

Run = Callable[..., tuple[int, str, str]]


def runner(monkeypatch: pytest.MonkeyPatch, captured: "pytest.CaptureFixture[str]") -> Run:
    """Return what runs a command line, and returns exit code, stdout and stderr."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["foretell", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.run()
        out, err = captured.readouterr()
        return int(caught.value.code or 0), out, err

    return run_command

"""One installation for all tests of a module, with two tenants made while it runs."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Door, Installation, running

MAKE_WINE = """
import sys
import joblib
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

wine = load_wine(as_frame=True)
joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(wine.data, wine.target), sys.argv[1] + "/wine.joblib")
joblib.dump(LogisticRegression(), sys.argv[1] + "/unfitted.joblib")
wine.frame.to_csv(sys.argv[1] + "/wine.csv", index=False)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory with a short path, since sockets live in it, that others may pass through, as the database's user has to."""
    with tempfile.TemporaryDirectory(prefix="ft-", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def installation(place: Path) -> Iterator[Installation]:
    with running(place / "home") as started:
        yield started


@pytest.fixture(scope="module")
def demo(installation: Installation) -> Door:
    return installation.demo


@pytest.fixture(scope="module")
def acme(installation: Installation) -> Door:
    return Door(**installation.run("tenant", "create", "acme", "--json").json)


@pytest.fixture(scope="module")
def globex(installation: Installation) -> Door:
    return Door(**installation.run("tenant", "create", "globex", "--json").json)


@pytest.fixture(scope="module")
def files(place: Path) -> Path:
    """What an author has: models in files, and a table. Another process made them; this one imports no scikit-learn."""
    made = place / "files"
    made.mkdir()
    subprocess.run([sys.executable, "-c", MAKE_WINE, str(made)], check=True)
    return made


@pytest.fixture(scope="module")
def wine(installation: Installation, acme: Door, files: Path) -> str:
    """A model of acme's, pushed as a file from the command line."""
    pushed = installation.run(
        "push", files / "wine.joblib", "--name", "wine", "--sample", files / "wine.csv", "--target", "target", "--json",
        door=acme,
    )  # fmt: skip
    assert pushed.json["state"] == "ready"
    return "wine"

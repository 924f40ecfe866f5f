"""What of a model travels, and what its author is told."""

import json
import pickle  # noqa: TID251  to make a file that must not be opened here
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import foretell
from foretell.client import BuildFailed, Client, NotAuthenticated
from foretell.inference.errors import NotFitted, SampleMismatch, UnreadableArtifact
from foretell.publishing.errors import CannotPush
from foretell.publishing.samples import read_sample, table_of
from tests.client.fake import FakeServer, answer, problem, version
from tests.client.test_client import parts_of

TABLE = pd.DataFrame({"a": np.linspace(0, 9, 40), "b": np.tile([0.0, 1.0, 2.0, 3.0], 10)})
LABELS = np.where(TABLE["a"] + TABLE["b"] > 6, "high", "low")
SCALER = StandardScaler().fit(TABLE)
FITTED = LogisticRegression().fit(TABLE, LABELS)
AT_A_TIE = KNeighborsClassifier(2).fit(TABLE.round(), LABELS)


class Opened:
    """Whoever unpickles it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


def sent(server: FakeServer) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the metadata and the files of the one push."""
    (push,) = [asked for asked in server.asked if asked.method == "POST"]
    files = {file_name: data for _, file_name, data in parts_of(push) if file_name}
    return json.loads(parts_of(push)[0][2]), files


def test_an_exact_model_travels_as_a_graph_and_no_pickle_and_no_sample(server: FakeServer, client: Client) -> None:
    found = foretell.push(FITTED, "iris", sample=TABLE, client=client, progress=False)

    metadata, files = sent(server)
    assert found.is_ready
    assert list(files) == ["model.onnx"]
    assert metadata["converted"]["runtime"] == "onnx"
    assert [column["name"] for column in metadata["converted"]["signature"]["inputs"]] == ["a", "b"]


def test_what_only_the_estimator_can_answer_travels_as_itself_with_its_sample(
    server: FakeServer, client: Client
) -> None:
    foretell.push(AT_A_TIE, "iris", sample=TABLE, client=client, progress=False)

    metadata, files = sent(server)
    assert list(files) == ["model.joblib", "sample.csv"]
    assert metadata["converted"] is None
    assert files["sample.csv"].startswith(b"a,b\n")


def test_the_same_model_is_the_same_bytes_each_time(server: FakeServer, client: Client) -> None:
    for _ in range(2):
        foretell.push(FITTED, "iris", sample=TABLE, client=client, progress=False)

    first, second = [parts_of(asked) for asked in server.asked if asked.method == "POST"]
    assert first == second


def test_what_the_author_says_is_kept(server: FakeServer, client: Client) -> None:
    foretell.push(
        FITTED, "iris", sample=TABLE.assign(y=LABELS), target="y", alias="next", metrics={"accuracy": np.float64(0.5)}, tags={"n": "1"},
        description="Flowers.", refinements={"inputs": {"a": {"unit": "cm"}}}, client=client, progress=False,
    )  # fmt: skip

    metadata, _ = sent(server)
    assert metadata["metrics"] == {"accuracy": 0.5}
    assert (metadata["target"], metadata["alias"], metadata["tags"], metadata["description"]) == (
        "y",
        "next",
        {"n": "1"},
        "Flowers.",
    )
    assert metadata["converted"]["signature"]["inputs"][0]["unit"] == "cm"


def test_lineage_is_found_and_not_asked_for(server: FakeServer, client: Client) -> None:
    foretell.push(FITTED, "iris", sample=TABLE, client=client, progress=False)

    lineage = sent(server)[0]["lineage"]
    assert len(lineage["data_sha256"]) == 64
    assert {"python", "foretell", "scikit-learn"} <= set(lineage["libraries"])
    assert set(lineage) <= {"git_commit", "data_sha256", "author", "source", "libraries"}


def test_the_commit_is_the_working_directorys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretell.publishing.lineage import lineage

    monkeypatch.chdir(tmp_path)
    assert "git_commit" not in lineage(data=None, libraries={})

    who = ["-c", "user.name=Alice", "-c", "user.email=alice@acme.example"]
    (tmp_path / "a").write_text("a")
    for command in (["init", "-q"], ["add", "a"], [*who, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", *command], check=True)
    commit = str(lineage(data=None, libraries={})["git_commit"])
    assert len(commit) == 40

    (tmp_path / "a").write_text("b")
    assert lineage(data=None, libraries={})["git_commit"] == f"{commit}-dirty"


def test_a_list_of_steps_is_a_chain(server: FakeServer, client: Client) -> None:
    scaled = KNeighborsClassifier(2).fit(SCALER.transform(TABLE).round(), LABELS)

    foretell.push([SCALER, scaled], "iris", sample=TABLE, client=client, progress=False)

    assert list(sent(server)[1])[:2] in (["step-1.joblib", "step-2.joblib"], ["model.onnx"])


@pytest.mark.parametrize("table", [TABLE, pl.DataFrame(TABLE.to_dict(orient="list")), TABLE.to_dict(orient="records")])
def test_a_sample_may_come_in_any_form(table: Any) -> None:
    pd.testing.assert_frame_equal(table_of(read_sample(table)), TABLE)


def test_an_arrays_columns_are_numbered() -> None:
    assert list(table_of(read_sample(TABLE.to_numpy())).columns) == ["x0", "x1"]


@pytest.mark.parametrize("sample", ["none.csv", 3, [1, 2]])
def test_what_is_no_sample_is_refused(sample: Any) -> None:
    with pytest.raises(CannotPush, match="sample"):
        read_sample(sample)


def test_a_model_that_cannot_be_served_is_refused_before_anything_is_sent(server: FakeServer, client: Client) -> None:
    with pytest.raises(NotFitted):
        foretell.push(LogisticRegression(), "iris", sample=TABLE, client=client, progress=False)
    with pytest.raises(SampleMismatch):
        foretell.push(FITTED, "iris", sample=TABLE[["a"]], client=client, progress=False)

    assert [asked.method for asked in server.asked] == ["GET", "GET"]


def test_an_unknown_key_is_told_before_the_conversion(server: FakeServer, client: Client) -> None:
    server.on("GET", "/api/v1/me/", problem(401, "not_authenticated", "Not known."))

    with pytest.raises(NotAuthenticated):
        foretell.push(LogisticRegression(), "iris", client=client, progress=False)


def test_a_failed_build_raises_in_the_servers_words(server: FakeServer, client: Client) -> None:
    reason = {"code": "parity_failed", "message": "Loaded again, it answers otherwise."}
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version(state="failed", reason=reason)))

    with pytest.raises(BuildFailed, match="Loaded again"):
        foretell.push(FITTED, "iris", sample=TABLE, client=client, progress=False)


def test_without_waiting_it_returns_what_was_taken_in(server: FakeServer, client: Client) -> None:
    assert foretell.push(FITTED, "iris", sample=TABLE, client=client, wait=False, progress=False).state == "quarantined"


def test_the_author_is_told_which_runtime_and_why(
    server: FakeServer, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = {"code": "alias_not_moved", "message": "Callers would be refused."}
    server.on("GET", "/api/v1/models/iris/versions/1/", answer(200, version(reason=reason, aliases=[])))

    foretell.push(FITTED, "iris", sample=TABLE, client=client)

    out, err = capsys.readouterr()
    assert out == ""
    assert "iris version 1 is ready, on the onnx runtime" in err
    assert "It is exact." in err
    assert "Callers would be refused." in err
    assert "foretell promote iris:1" in err


def test_metrics_are_finite_numbers(client: Client) -> None:
    for value in ("a", float("nan"), None):
        with pytest.raises(CannotPush, match="metric 'f1'"):
            foretell.push(FITTED, "iris", metrics={"f1": value}, client=client, progress=False)  # type: ignore[dict-item]  # that is the point


@pytest.mark.parametrize("name", ["model.onnx", "model.json", "model.txt"])
def test_a_file_that_is_no_pickle_goes_as_it_is(server: FakeServer, client: Client, tmp_path: Path, name: str) -> None:
    from tests.models import sum_graph

    content = {"model.onnx": sum_graph(), "model.json": b'{"learner": {}}', "model.txt": b"tree\nversion=v4\n"}[name]
    (tmp_path / name).write_bytes(content)

    foretell.push(tmp_path / name, "iris", client=client, progress=False)

    assert sent(server)[1] == {name: content}


def test_a_pickle_is_never_opened_in_the_authors_process(
    server: FakeServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "opened"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Opened(trace)))
    monkeypatch.setattr("foretell.publishing.files._missing_layer", lambda: "seccomp: not here")

    foretell.push(str(tmp_path / "model.pkl"), "iris", sample=TABLE, client=client, progress=False)

    assert list(sent(server)[1]) == ["model.pkl", "sample.csv"]
    assert not trace.exists()
    pickle.loads((tmp_path / "model.pkl").read_bytes())  # noqa: S301  the control: opening it does leave a trace
    assert trace.exists()


def test_a_file_is_converted_in_a_sandbox_of_its_own(server: FakeServer, client: Client, tmp_path: Path) -> None:
    pytest.importorskip("foretell.inference.sandbox")
    from foretell.publishing.files import _missing_layer

    if missing := _missing_layer():
        pytest.skip(missing)
    joblib.dump(FITTED, tmp_path / "model.joblib")

    foretell.push(tmp_path / "model.joblib", "iris", sample=TABLE, client=client, progress=False)

    metadata, files = sent(server)
    assert list(files) == ["model.onnx"]
    assert metadata["converted"]["parity"]["is_exact"]


def test_a_file_can_be_left_to_the_server(server: FakeServer, client: Client, tmp_path: Path) -> None:
    joblib.dump(FITTED, tmp_path / "model.joblib")

    foretell.push(tmp_path / "model.joblib", "iris", sample=TABLE, convert="server", client=client, progress=False)

    assert list(sent(server)[1]) == ["model.joblib", "sample.csv"]


def test_files_that_cannot_be_pushed_say_why(client: Client, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hello")

    for path, error, said in (
        (tmp_path / "none", CannotPush, "cannot be read"),
        (tmp_path, CannotPush, "cannot be read"),
        (tmp_path / "empty", CannotPush, "empty"),
        (tmp_path / "text", UnreadableArtifact, "known formats"),
    ):
        with pytest.raises(error, match=said):
            foretell.push(path, "iris", client=client, progress=False)
    with pytest.raises(CannotPush, match="mixes"):
        foretell.push([tmp_path / "text", FITTED], "iris", client=client, progress=False)


def test_without_the_packages_it_names_the_extra() -> None:
    code = """
import sys
sys.modules["skl2onnx"] = sys.modules["numpy"] = None
from foretell.publishing.preparing import Options, prepare_model
from foretell.publishing.errors import MissingExtra
try:
    prepare_model(object(), None, Options())
except MissingExtra as err:
    print(err)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "pip install 'foretell[sklearn]'" in found


def test_an_estimator_that_cannot_be_saved_is_refused_in_words(server: FakeServer, client: Client) -> None:
    doubled = make_pipeline(FunctionTransformer(lambda rows: rows * 2), LogisticRegression()).fit(TABLE, LABELS)

    with pytest.raises(CannotPush, match=r"Pipeline cannot be saved.*lambda.*installed package"):
        foretell.push(doubled, "iris", sample=TABLE, client=client, progress=False)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (csr_array(TABLE.to_numpy()), "csr_array; expected a DataFrame"),
        (TABLE.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")]), axis=1), "2 levels.*Join them"),
    ],
)
def test_a_table_whose_columns_have_no_plain_names_is_refused_in_words(sample: Any, words: str) -> None:
    with pytest.raises(CannotPush, match=words):
        read_sample(sample)

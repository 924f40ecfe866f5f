"""An artifact's format is told by its bytes, and it is opened inside the sandbox only; what cannot be used is refused in words."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
import xgboost
from lightgbm import LGBMClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from foretell.inference import formats
from foretell.inference.errors import (
    ArtifactError,
    MissingPackage,
    SandboxIncomplete,
    UnreadableArtifact,
    UnsupportedModel,
    VersionMismatch,
)
from foretell.inference.formats import Format, load_artifact, sniff

ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
CLASSES = np.array([0, 0, 1, 1])


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be a locked child: the files of these tests are the tests' own."""
    monkeypatch.setattr(formats, "inside", lambda: True)


@pytest.fixture(scope="module")
def estimator() -> LogisticRegression:
    return LogisticRegression().fit(ROWS, CLASSES)


def pickled(found: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(found, buffer, **options)
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(data: bytes, kind: type[ArtifactError] = UnreadableArtifact) -> str:
    with pytest.raises(kind) as caught:
        load_artifact([("model.bin", data)])
    return caught.value.message


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_pickles_of_every_protocol_are_known(estimator: LogisticRegression, protocol: int) -> None:
    assert sniff("model.joblib", pickled(estimator, protocol=protocol)) is Format.PICKLE


@pytest.mark.parametrize("compress", [("zlib", 1), ("zlib", 9), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
@pytest.mark.usefixtures("inside")
def test_compressed_pickles_open(estimator: LogisticRegression, compress: Any) -> None:
    data = pickled(estimator, compress=compress)

    loaded = load_artifact([("model.joblib", data)])

    assert sniff("model.joblib", data) is Format.COMPRESSED
    assert loaded.predict(ROWS).tolist() == estimator.predict(ROWS).tolist()


@pytest.mark.usefixtures("inside")
def test_skops_files_open(estimator: LogisticRegression) -> None:
    data = skops.io.dumps(estimator)

    assert sniff("model.skops", data) is Format.ZIP
    assert isinstance(load_artifact([("model.skops", data)]), LogisticRegression)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboosts_own_files_open(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    xgboost.XGBClassifier(n_estimators=2).fit(ROWS, CLASSES).save_model(path)

    assert sniff("model", path.read_bytes()) is Format.XGBOOST
    assert load_artifact([("model", path.read_bytes())]).num_features() == 2


@pytest.mark.usefixtures("inside")
def test_lightgbms_own_files_open(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    LGBMClassifier(n_estimators=2, min_child_samples=1, verbose=-1).fit(ROWS, CLASSES).booster_.save_model(path)

    assert sniff("model", path.read_bytes()) is Format.LIGHTGBM
    assert load_artifact([("model", path.read_bytes())]).num_feature() == 2


@pytest.mark.usefixtures("inside")
def test_several_files_are_a_list_in_their_order(estimator: LogisticRegression) -> None:
    loaded = load_artifact([("a", pickled(estimator)), ("b", pickled(LinearRegression()))])

    assert [type(step) for step in loaded] == [LogisticRegression, LinearRegression]


def test_nothing_is_opened_outside_the_sandbox(estimator: LogisticRegression) -> None:
    with pytest.raises(SandboxIncomplete):
        load_artifact([("model.joblib", pickled(estimator))])


class Touch:
    """A pickle that runs code: it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def test_outside_the_sandbox_a_pickle_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickled(Touch(str(tmp_path / "ran")))

    with pytest.raises(SandboxIncomplete):
        load_artifact([("model.pkl", data)])
    assert not (tmp_path / "ran").exists()

    # The control: where opening is allowed, the same bytes do run.
    monkeypatch.setattr(formats, "inside", lambda: True)
    load_artifact([("model.pkl", data)])
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello", "none of the known formats"),
        (b"\x89HDF\r\n\x1a\n" + b"0" * 20, "HDF5"),
        (b"CBM1" + b"0" * 20, "CatBoost"),
        (b"binf" + b"0" * 20, "old binary"),
        (b"PAR1" + b"0" * 20, "Parquet"),
        (b"<?xml version='1.0'?><PMML/>", "PMML"),
        (
            (40).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' + b"0" * 40,
            "safetensors",
        ),
        (b"0" * 257 + b"ustar" + b"0" * 10, "tar archive"),
        (b"a,b\n1,2\n", "none of the known formats"),
        (b"\x7fELF" + b"0" * 100, "none of the known formats"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, word: str) -> None:
    with pytest.raises(UnreadableArtifact) as caught:
        sniff("model.bin", data)

    assert word in caught.value.message


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}, "Keras"),
        ({"archive/data.pkl": b"", "archive/version": b"3"}, "PyTorch"),
        ({"model/MLmodel": b"", "model/model.pkl": b""}, "MLflow"),
        ({"a.txt": b"hello"}, "no skops file"),
    ],
)
@pytest.mark.usefixtures("inside")
def test_other_archives_are_refused_by_name(members: dict[str, bytes], word: str) -> None:
    assert word in refused(zipped(members))


@pytest.mark.parametrize("library", [gzip, bz2, lzma, zlib])
@pytest.mark.usefixtures("inside")
def test_a_bomb_is_seen_before_it_is_in_memory(library: Any) -> None:
    assert "no model" in refused(library.compress(b"\x80\x04" + bytes(60_000_000)))


@pytest.mark.usefixtures("inside")
def test_a_zip_bomb_is_not_unpacked() -> None:
    assert "would unpack" in refused(zipped({"schema.json": b"{}", "array.npy": bytes(300_000_000)}))


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
@pytest.mark.usefixtures("inside")
def test_half_a_file_is_unreadable(estimator: LogisticRegression, cut: float) -> None:
    for whole in (pickled(estimator), pickled(estimator, compress=3), skops.io.dumps(estimator)):
        refused(whole[: int(len(whole) * cut)])


@pytest.mark.usefixtures("inside")
def test_another_minor_version_of_scikit_learn_is_named_with_the_way_out(estimator: LogisticRegression) -> None:
    import sklearn

    data = pickled(estimator)
    older = data.replace(sklearn.__version__.encode(), b"1.2.0"[: len(sklearn.__version__)])
    assert older != data

    message = refused(older, VersionMismatch)

    assert "1.2.0" in message
    assert sklearn.__version__ in message
    assert "foretell.push" in message


@pytest.mark.usefixtures("inside")
def test_another_patch_of_the_same_version_opens(estimator: LogisticRegression) -> None:
    import sklearn

    same_minor = sklearn.__version__.rpartition(".")[0] + ".9"
    data = pickled(estimator).replace(sklearn.__version__.encode(), same_minor.encode())

    assert isinstance(load_artifact([("model", data)]), LogisticRegression)


@pytest.mark.usefixtures("inside")
def test_a_package_that_is_missing_is_named() -> None:
    data = b"\x80\x02cnot_installed_here.models\nForest\n)\x81."

    assert "not_installed_here" in refused(data, MissingPackage)


@pytest.mark.usefixtures("inside")
def test_a_function_of_the_authors_script_is_explained() -> None:
    assert "script" in refused(b"\x80\x02c__main__\nmy_feature_function\n.", UnsupportedModel)


@pytest.mark.usefixtures("inside")
def test_an_error_text_of_megabytes_is_cut() -> None:
    data = pickled(Touch("x" * 3_000_000))

    assert len(refused(data)) < 2_001

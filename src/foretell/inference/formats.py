"""Which kind of file an artifact is, told by its first bytes, and the one loader that may open it.

`sniff` runs on the trusted side and looks at bytes only. `load_artifact` opens the file, which for a pickle means that
its author's code runs: it does so inside a locked child of the sandbox, and refuses to anywhere else.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from foretell.errors import shortened
from foretell.inference.errors import (
    MissingPackage,
    SandboxIncomplete,
    UnreadableArtifact,
    UnsupportedModel,
    VersionMismatch,
)
from foretell.inference.sandbox.lockdown import inside
from foretell.inference.unpacking import decompressed, zip_members

File = tuple[str, bytes]  #: name, as its author called it, for messages only; and content

MAX_FILES = 8


class Format(StrEnum):
    PICKLE = "pickle"
    COMPRESSED = "compressed pickle"
    ZIP = "zip"
    ONNX = "onnx"
    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"


_PUSH_FROM_CODE = "Push it from your own environment: foretell.push(estimator, name)."
_TO_ONNX = "Export it to ONNX and push the .onnx file."

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", f"This is an HDF5 file, as Keras saves models. {_TO_ONNX}"),
    (b"CBM1", 'This is a CatBoost model. Save it with save_model(path, format="onnx") and push that file.'),
    (
        b"binf",
        "This is an XGBoost model in the old binary format, which XGBoost itself no longer reads. Save it again as .json or .ubj.",
    ),
    (
        b"bs64",
        "This is an XGBoost model in the old binary format, which XGBoost itself no longer reads. Save it again as .json or .ubj.",
    ),
    (b"PAR1", "This is a Parquet file: a table and not a model. Tables go into the sample, as CSV."),
    (b"<?xml", "This is an XML file, perhaps PMML. Push the estimator that it was made from, or an ONNX graph."),
    (b"GGUF", f"This is a GGUF language model, which is not a model of tables. {_TO_ONNX}"),
    (b"Rar!", "This is a RAR archive. Push the model file itself."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7z archive. Push the model file itself."),
)
_COMPRESSED = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x5d\x00\x00",
    b"\x04\x22\x4d\x18",
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
)


def sniff(name: str, data: bytes) -> Format:
    """Tell the format by magic bytes; the file's name and suffix are never trusted.

    Raises
    ------
    UnreadableArtifact
        names what was found, if known, and what to push instead.
    """
    if not data:
        raise UnreadableArtifact(f"{name} is empty.")
    for magic, refusal in _REFUSED:
        if data.startswith(magic):
            raise UnreadableArtifact(f"{name}: {refusal}")
    found = _by_magic(data)
    if found is None:
        raise UnreadableArtifact(f"{name}: {_unknown(data)}")
    return found


def _by_magic(data: bytes) -> Format | None:
    if data.startswith(b"PK\x03\x04"):
        return Format.ZIP
    if data.startswith(_COMPRESSED):
        return Format.COMPRESSED
    if data[0] == 0x80 and len(data) > 1 and 2 <= data[1] <= 5:
        return Format.PICKLE
    if data.startswith((b"tree\n", b"tree\r\n")) and b"version=" in data[:200]:
        return Format.LIGHTGBM
    if _is_xgboost(data):
        return Format.XGBOOST
    if _is_onnx(data):
        return Format.ONNX
    return Format.PICKLE if _is_old_pickle(data) else None


def _is_xgboost(data: bytes) -> bool:
    is_text = data.lstrip(b" \r\n\t").startswith(b"{") and b'"learner"' in data
    return is_text or data.startswith((b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner", b"{i\x07learner"))


def _is_onnx(data: bytes) -> bool:
    """Whether this begins as a ModelProto does: the IR version, then a field that follows it."""
    return (
        len(data) > 8
        and data[0] == 0x08
        and 1 <= data[1] <= 20
        and data[2] in (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
    )


def _is_old_pickle(data: bytes) -> bool:
    """Whether this is a pickle of protocol 0 or 1, which has no magic: an opcode that can begin one, and its last."""
    return data[:1] in b"(c]}Iil" and data.rstrip(b"\n").endswith(b".") and b"\n" in data[:200]


def _unknown(data: bytes) -> str:
    if len(data) > 264 and data[257:262] == b"ustar":
        return "This is a tar archive. Push the model file itself."
    if len(data) > 9 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data):
        return f"This is a safetensors file: weights without the model that uses them. {_TO_ONNX}"
    kinds = "joblib, pickle, skops, ONNX, XGBoost (.json, .ubj) or LightGBM (.txt)"
    return f"It begins with {data[:8]!r}, which is none of the known formats. Push a fitted estimator as {kinds}."


def load_artifact(files: Sequence[File]) -> Any:
    """Open an artifact: an estimator, a list of steps where there are several files, or the bytes of an ONNX graph.

    Raises
    ------
    ArtifactError
        UnreadableArtifact, MissingPackage, VersionMismatch or UnsupportedModel, with the way out.
    SandboxIncomplete
        when called outside the sandbox.
    """
    # Security: the only place where a pickle is opened, and never in a process that has anything to lose.
    if not inside():
        raise SandboxIncomplete("Artifacts are opened inside the sandbox only.")
    opened = [_opened(name, data) for name, data in files]
    if len(opened) == 1:
        return opened[0]
    if any(isinstance(step, bytes) for step in opened):
        raise UnsupportedModel("A chain consists of estimators; an ONNX graph goes alone.")
    return opened


def _opened(name: str, data: bytes) -> Any:
    loaders: dict[Format, Callable[[str, bytes], Any]] = {
        Format.PICKLE: _unpickled,
        Format.COMPRESSED: lambda name, data: _unpickled(name, decompressed(name, data)),
        Format.ZIP: _from_zip,
        Format.ONNX: lambda _, data: data,
        Format.XGBOOST: _xgboost_booster,
        Format.LIGHTGBM: _lightgbm_booster,
    }
    return loaders[sniff(name, data)](name, data)


def _unpickled(name: str, data: bytes) -> Any:
    import joblib

    return _guarded(name, data, lambda: joblib.load(io.BytesIO(data)))


def _from_zip(name: str, data: bytes) -> Any:
    members = zip_members(name, data)
    if "schema.json" in members:
        return _guarded(name, _skops_schema(data), lambda: _from_skops(data))
    if "config.json" in members and "metadata.json" in members:
        raise UnreadableArtifact(f"{name}: This is a Keras model. {_TO_ONNX}")
    if any(member.endswith("/data.pkl") for member in members):
        raise UnreadableArtifact(f"{name}: This is a PyTorch file. {_TO_ONNX}")
    if any(member.rpartition("/")[2] == "MLmodel" for member in members):
        raise UnreadableArtifact(
            f"{name}: This is an MLflow folder. Push the model file in it, such as model.pkl or model.skops."
        )
    raise UnreadableArtifact(f"{name}: This zip archive is no skops file. Push the model file itself.")


def _from_skops(data: bytes) -> Any:
    import skops.io

    # Security: every type is trusted here because this process is locked; no one's list of trusted types would be.
    return skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))


def _skops_schema(data: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(data)).read("schema.json")


def _xgboost_booster(name: str, data: bytes) -> Any:
    xgboost = _imported("xgboost")
    return _guarded(name, b"", lambda: xgboost.Booster(model_file=bytearray(data)))


def _lightgbm_booster(name: str, data: bytes) -> Any:
    lightgbm = _imported("lightgbm")
    return _guarded(name, b"", lambda: lightgbm.Booster(model_str=data.decode("utf-8"), params={"verbose": -1}))


def _imported(package: str) -> Any:
    import importlib

    try:
        return importlib.import_module(package)
    except ModuleNotFoundError:
        raise _missing(package) from None


def _guarded(name: str, pickled: bytes, load: Callable[[], Any]) -> Any:
    """Load, and say in words what went wrong: a package, a version, a function of the author's script, or the file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            loaded = load()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - opening a pickle may raise anything
            _require_same_version(pickled, caught)
            raise _explained(name, error) from None
    _require_same_version(pickled, caught)
    return loaded


def _explained(name: str, error: Exception) -> Exception:
    text = shortened(" ".join(str(error).split()), 300)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(error.name)
    if isinstance(error, (AttributeError, TypeError)) and "__main__" in text:
        return UnsupportedModel(
            f"{name} needs something of the script that made it ({text}). Functions and classes defined there are not in the file: "
            "put them into an installed package, use scikit-learn's own, or export the model to ONNX."
        )
    return UnreadableArtifact(
        f"{name} cannot be opened: {type(error).__name__}: {text}. If the file is whole: {_PUSH_FROM_CODE}"
    )


def _missing(module: str) -> MissingPackage:
    package = module.partition(".")[0]
    return MissingPackage(
        f"The artifact needs the module {module}, which is not installed here. Install {package} on the server, or convert where it is installed: {_PUSH_FROM_CODE}",
        package=package,
    )


_STORED_VERSION = re.compile(rb"_sklearn_version.{1,24}?(\d+\.\d+(?:\.\w+)*)", re.DOTALL)


def _require_same_version(pickled: bytes, caught: Sequence[warnings.WarningMessage]) -> None:
    """Refuse an estimator of another minor version of scikit-learn, whose private state may mean something else."""
    import sklearn

    told = [str(getattr(warning.message, "original_sklearn_version", "")) for warning in caught]
    stored = _STORED_VERSION.search(pickled)
    found = next((version for version in told if version), stored.group(1).decode() if stored else "")
    if found and _minor(found) != _minor(sklearn.__version__):
        raise VersionMismatch(
            f"The estimator was made by scikit-learn {found}; here is {sklearn.__version__}. {_PUSH_FROM_CODE} It converts with your version, "
            f"and the server's no longer matters. Or fit it again with scikit-learn {sklearn.__version__}.",
            found=found,
            expected=sklearn.__version__,
        )


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]

"""Import everything that a job may need while the parent can still reach it.

A locked child may be another user, who cannot enter the interpreter's directory: what is not imported by then is out
of its reach. It also makes a fork worth seconds of imports.
"""

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Job = Callable[[dict[str, Any]], dict[str, Any]]
Server = Callable[[dict[str, Any]], Job]

#: A name with ``.*`` means the package with all that is in it. What is not installed is left out.
DEFAULT_PRELOAD = (
    "threading", "concurrent.futures", "_strptime", "zipfile", "csv", "decimal", "fractions", "encodings.*", "zoneinfo",
    "numpy", "numpy.random", "numpy.ma", "numpy.fft", "pandas", "scipy.*", "joblib.*", "sklearn.*",
    "onnx", "onnx.helper", "onnx.numpy_helper", "onnx.checker", "onnxruntime", "skl2onnx.*", "onnxmltools.*",
    "xgboost", "xgboost.sklearn", "lightgbm", "lightgbm.sklearn", "skops.io", "msgspec", "cloudpickle",
)  # fmt: skip

_SKIPPED = (
    ".test",
    "_test",
    "estimator_checks",
    ".conftest",
    ".f2py",
    "._dynamic",
    "__main__",
    ".setup",
    "._build_utils",
)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What a sandbox can be asked for: one-shot jobs, and servers that stay open."""

    jobs: Mapping[str, Job]
    servers: Mapping[str, Server]


def load_jobs(module_name: str) -> Jobs:
    """Import the module of the jobs and everything that it asks to have ready (`PRELOAD`, else a default)."""
    module = importlib.import_module(module_name)
    preload(getattr(module, "PRELOAD", DEFAULT_PRELOAD))
    return Jobs(getattr(module, "JOBS", {}), getattr(module, "SERVERS", {}))


def preload(names: Sequence[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            for module in _expanded(name):
                _import(module)


def _expanded(name: str) -> Iterator[str]:
    package_name = name.removesuffix(".*")
    yield package_name
    package = _import(package_name) if name.endswith(".*") else None
    if package is not None and hasattr(package, "__path__"):
        yield from _modules_below(package.__path__, package_name + ".")


def _modules_below(path: Any, prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules(path, prefix):
        if any(part in found.name for part in _SKIPPED):
            continue
        yield found.name
        module = _import(found.name) if found.ispkg else None
        if module is not None:
            yield from _modules_below(module.__path__, found.name + ".")


def _import(name: str) -> Any:
    """Import a module; None where it, or something that it needs, is not there."""
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 - an optional library that is broken must not keep the sandbox from starting
        return None

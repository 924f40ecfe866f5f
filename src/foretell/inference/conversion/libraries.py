"""Which libraries an estimator was made with, and in which versions."""

import importlib.metadata
from typing import Any

from foretell.inference.conversion.preparing import parts

_ALWAYS = ("numpy", "scikit-learn", "skl2onnx", "onnxruntime")
_DISTRIBUTIONS = {"xgboost": ("xgboost", "xgboost-cpu"), "lightgbm": ("lightgbm",), "sklearn": ("scikit-learn",)}


def versions_of(estimator: Any) -> dict[str, str]:
    """Return name and version of the packages behind `estimator` and the steps inside it."""
    packages = {type(part).__module__.partition(".")[0] for part in parts(estimator)}
    found = {}
    for name in _ALWAYS:
        found.update(_version(name, (name,)))
    for package in sorted(packages - {"builtins", "__main__", "sklearn"}):
        found.update(_version(package, _DISTRIBUTIONS.get(package, (package,))))
    return found


def _version(name: str, distributions: tuple[str, ...]) -> dict[str, str]:
    for distribution in distributions:
        try:
            return {name: importlib.metadata.version(distribution)}
        except importlib.metadata.PackageNotFoundError:
            continue
    return {}

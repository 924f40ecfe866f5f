"""Imputers, polynomials and kernels in float64, which the usual converters have in float32 only."""

from typing import Any

import numpy as np

from foretell.inference.conversion.double.emitting import Emitter
from foretell.inference.errors import UnsupportedModel

_MAX_POWERS = 50_000  # numbers that one row is blown up to on its way through a polynomial


def simple_imputer(to: Emitter) -> None:
    imputer = to.estimator
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    if np.isnan(statistics).any() or getattr(imputer, "add_indicator", False):
        raise UnsupportedModel("there is no converter for an imputer that drops or adds columns")
    is_missing = (
        to.node("IsNaN", to.source)
        if _is_nan(imputer.missing_values)
        else to.node("Equal", to.source, np.array([float(imputer.missing_values)]))
    )
    to.node("Where", is_missing, statistics, to.source, output=to.outputs[0])


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def polynomial_features(to: Emitter) -> None:
    """Emit each product of powers: x ** powers over all inputs, multiplied."""
    powers = np.asarray(to.estimator.powers_, dtype=np.float64)
    if powers.size > _MAX_POWERS:
        raise UnsupportedModel(f"a polynomial of {len(powers):,} terms is too wide for a graph")
    raised = to.node("Pow", to.node("Unsqueeze", to.source, np.array([1])), powers[None])
    product = to.node("ReduceProd", raised, np.array([2]), keepdims=0)
    to.node("Identity", product, output=to.outputs[0])


def support_vector_regressor(to: Emitter) -> None:
    """Emit the kernel of the rows with the support vectors, weighted."""
    model = to.estimator
    if callable(model.kernel) or model.kernel == "precomputed":
        raise UnsupportedModel("there is no converter for kernels of one's own")
    vectors = np.asarray(model.support_vectors_, dtype=np.float64)
    weighted = to.node("MatMul", _kernel(to, model, vectors), np.asarray(model.dual_coef_, dtype=np.float64).T)
    to.node("Add", weighted, np.asarray(model.intercept_, dtype=np.float64), output=to.outputs[0])


def _kernel(to: Emitter, model: Any, vectors: Any) -> str:
    gamma = np.array([float(model._gamma)])
    if model.kernel == "rbf":
        distances = to.node("CDist", to.source, vectors, domain="com.microsoft", version=1, metric="sqeuclidean")
        return to.node("Exp", to.node("Mul", distances, -gamma))
    products = to.node("MatMul", to.source, vectors.T)
    if model.kernel == "linear":
        return products
    shifted = to.node("Add", to.node("Mul", products, gamma), np.array([float(model.coef0)]))
    return (
        to.node("Tanh", shifted)
        if model.kernel == "sigmoid"
        else to.node("Pow", shifted, np.array([float(model.degree)]))
    )

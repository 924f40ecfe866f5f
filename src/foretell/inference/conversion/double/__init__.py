"""Converters of our own, for float64 graphs: where the usual ones lose digits, or have no operator in that precision.

A tree compares float32 values with float64 thresholds, and its ensemble sums in float64; a graph in one precision does
one of the two wrong. Here both are done as the estimator does them, with the TreeEnsemble of ai.onnx.ml 5.
"""

from foretell.inference.conversion.double.registering import register

__all__ = ["register"]

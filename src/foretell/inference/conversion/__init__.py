"""Conversion of estimators to ONNX, judged by parity. Runs in the author's process or in a locked child only."""

from foretell.inference.conversion.converting import convert
from foretell.inference.converted import ConvertedModel

__all__ = ["ConvertedModel", "convert"]

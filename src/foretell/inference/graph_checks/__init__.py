"""Refuses ONNX graphs that could harm who runs them. Pure protobuf and numpy: onnxruntime is never asked.

A graph is not safe by its format. It can name files to read, loop for ever, allocate without bound, or carry trees
whose ids point outside their arrays. What passes here is a straight line of known operators with arrays of sane size.
"""

from foretell.inference.graph_checks.checking import check_graph

__all__ = ["check_graph"]

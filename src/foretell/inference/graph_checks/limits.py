"""How much a graph may have of everything, and why that much."""

MAX_GRAPH_BYTES = 64 * 2**20  # a forest of 500 deep trees is some 30 MB
MAX_NODES = 2_000  # trees are one node; a chain of 50,000 burns seconds in graph optimisation at every load
MAX_ATTRIBUTES_PER_NODE = 64  # a tree ensemble has 24
MAX_TENSOR_ELEMENTS = 16 * 2**20  # 128 MiB of float64; more than a graph of MAX_GRAPH_BYTES can spell out
MAX_RANK = 4  # tables have two axes, blocks of probabilities three
MAX_WIDTH = 16_384  # columns of an input or output; wider than any signature
MAX_FILLED_ELEMENTS = (
    2**20
)  # elements a row that ConstantOfShape, Expand or Tile may make: their shape is a number in the graph, not bytes
MAX_ENSEMBLE_NODES = 8 * 2**20  # of all trees of one operator
MAX_TREE_DEPTH = 4_096  # deeper than any tree that was learnt; a chain is an attack on recursion
MAX_CLASSES = 10_000
MAX_OPSET = {"": 24, "ai.onnx.ml": 5, "com.microsoft": 1}  # what onnxruntime 1.31 knows

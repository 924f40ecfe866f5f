"""Trees as the arrays of ai.onnx.ml 5's TreeEnsemble: branches and leaves numbered apart, over all trees."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from foretell.inference.conversion.double.emitting import Emitter
from foretell.inference.errors import UnsupportedModel

LESS_OR_EQUAL, LESS = 0, 1  # the operator's node modes
_SUM = 1
_MAX_NODES = 1_500_000  # some 30 bytes each in the graph

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One tree by its nodes; node 0 is the root, and a row goes left where its value is below the threshold.

    values : shape (n_nodes, n_targets), what a leaf adds to each target.
    missing_left : whether a missing value goes left.
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    is_leaf: Array
    values: Array
    missing_left: Array


@dataclass(slots=True)
class Forest:
    """The sum of trees, for each of some targets. A leaf has one target, so a tree is repeated for each of its targets."""

    n_targets: int
    mode: int = LESS_OR_EQUAL
    _parts: dict[str, list[Array]] = field(default_factory=dict)
    _n_branches: int = 0
    _n_leaves: int = 0

    def add(self, tree: Tree, *, target: int | None = None) -> None:
        """Add a tree: for all targets, one column of its values each, or with its one column for `target` alone."""
        targets = range(self.n_targets) if target is None else [target]
        for column, number in enumerate(targets):
            self._add(tree if len(tree.feature) > 1 else _with_a_branch(tree), column, number)

    def add_constant(self, value: float, *, target: int) -> None:
        """Add the same to every row: first, so that sums round as those that begin with it."""
        nowhere, root = np.full(1, -1), np.zeros(1, dtype=np.int64)
        leaf = Tree(
            left=nowhere,
            right=nowhere,
            feature=root,
            threshold=np.zeros(1),
            is_leaf=np.ones(1, bool),
            values=np.array([[value]]),
            missing_left=root,
        )
        self.add(leaf, target=target)

    def _add(self, tree: Tree, column: int, target: int) -> None:
        branches, leaves = np.flatnonzero(~tree.is_leaf), np.flatnonzero(tree.is_leaf)
        numbers = np.empty(len(tree.feature), dtype=np.int64)
        numbers[branches] = self._n_branches + np.arange(len(branches))
        numbers[leaves] = self._n_leaves + np.arange(len(leaves))
        if self._n_branches + len(branches) > _MAX_NODES:
            raise UnsupportedModel(f"the trees have more than {_MAX_NODES:,} nodes")
        self._extend("tree_roots", numbers[:1])
        self._extend("nodes_featureids", tree.feature[branches])
        self._extend("nodes_splits", tree.threshold[branches])
        self._extend("nodes_missing_value_tracks_true", tree.missing_left[branches])
        for side, children in (("true", tree.left[branches]), ("false", tree.right[branches])):
            self._extend(f"nodes_{side}nodeids", numbers[children])
            self._extend(f"nodes_{side}leafs", tree.is_leaf[children])
        self._extend("leaf_targetids", np.full(len(leaves), target))
        self._extend("leaf_weights", tree.values[leaves, column])
        self._n_branches += len(branches)
        self._n_leaves += len(leaves)

    def _extend(self, name: str, values: Array) -> None:
        self._parts.setdefault(name, []).append(np.asarray(values))

    def emit(self, to: Emitter, source: str, *, dtype: Any = np.float64) -> str:
        """Add the operator to a graph; return the name of its output, of shape (n_rows, n_targets)."""
        from onnx import numpy_helper

        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        numbers = {
            name: numpy_helper.from_array(arrays.pop(name).astype(dtype)) for name in ("nodes_splits", "leaf_weights")
        }
        modes = numpy_helper.from_array(np.full(self._n_branches, self.mode, dtype=np.uint8))
        integers = {name: values.astype(np.int64).tolist() for name, values in arrays.items()}
        return to.node(
            "TreeEnsemble",
            source,
            domain="ai.onnx.ml",
            version=3,  # skl2onnx knows no later one; `graphs` declares the true one in the end
            nodes_modes=modes,
            n_targets=self.n_targets,
            aggregate_function=_SUM,
            post_transform=0,
            **numbers,
            **integers,
        )


def _with_a_branch(tree: Tree) -> Tree:
    """Put a branch above a lone leaf: a tree has at least one; both ways lead to the same."""
    return Tree(
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        is_leaf=np.array([False, True, True]),
        values=np.repeat(tree.values[:1], 3, axis=0),
        missing_left=np.zeros(3, dtype=np.int64),
    )

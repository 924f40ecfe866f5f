"""Checks on the arrays inside tree, SVM and linear operators: equal lengths, ids in range, trees that are trees."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from foretell.inference.errors import UnsafeGraph
from foretell.inference.graph_checks.limits import MAX_CLASSES, MAX_ENSEMBLE_NODES, MAX_TREE_DEPTH, MAX_WIDTH

Attributes = Mapping[str, Any]  #: by name: a numpy array, a list of bytes, a number or bytes
_Ints = npt.NDArray[np.int64]
_ROW = ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_truenodeids", "nodes_falsenodeids")
_MODES = {b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GTE", b"BRANCH_GT", b"BRANCH_EQ", b"BRANCH_NEQ", b"LEAF"}


def check_operator(op_type: str, attributes: Attributes, where: str) -> None:
    """Check the arrays of one operator, if it has any that must fit each other."""
    if op_type in ("TreeEnsembleClassifier", "TreeEnsembleRegressor"):
        _check_ensemble(op_type, attributes, where)
    elif op_type == "TreeEnsemble":
        _check_ensemble_v5(attributes, where)
    elif op_type in ("SVMClassifier", "SVMRegressor"):
        _check_svm(op_type, attributes, where)
    elif op_type in ("LinearClassifier", "LinearRegressor"):
        _check_linear(attributes, where)
    elif op_type in ("LabelEncoder", "CategoryMapper"):
        _check_pairs(attributes, where)


def _check_ensemble(op_type: str, attributes: Attributes, where: str) -> None:
    n_nodes = len(attributes.get("nodes_nodeids", ()))
    columns = [*_ROW, _either(attributes, "nodes_values", where)]
    _require(0 < n_nodes <= MAX_ENSEMBLE_NODES, where, f"has {n_nodes:,} tree nodes")
    for name in columns:
        _require(
            len(attributes.get(name, ())) == n_nodes,
            where,
            f"has {n_nodes:,} tree nodes but {len(attributes.get(name, ())):,} {name}",
        )
    for name in ("nodes_missing_value_tracks_true", "nodes_hitrates"):
        _require(len(attributes.get(name, ())) in (0, n_nodes), where, f"has {name} of another length than its nodes")
    _require(set(attributes["nodes_modes"]) <= _MODES, where, "has a node mode that is none")
    _require(_within(attributes["nodes_featureids"], MAX_WIDTH), where, "has a feature id out of range")
    keys = _keys(attributes["nodes_treeids"], attributes["nodes_nodeids"], where)
    _check_forest(attributes, keys, where)
    _check_leaves("class" if op_type == "TreeEnsembleClassifier" else "target", attributes, keys, where)


def _keys(treeids: _Ints, nodeids: _Ints, where: str) -> _Ints:
    """Give each node of each tree a number of its own."""
    _require(
        _within(treeids, MAX_ENSEMBLE_NODES) and _within(nodeids, MAX_ENSEMBLE_NODES),
        where,
        "has a tree or node id out of range",
    )
    keys: _Ints = treeids * MAX_ENSEMBLE_NODES + nodeids
    _require(len(np.unique(keys)) == len(keys), where, "has two nodes of the same id")
    return keys


def _check_forest(attributes: Attributes, keys: _Ints, where: str) -> None:
    is_branch = np.array([mode != b"LEAF" for mode in attributes["nodes_modes"]])
    children = []
    for name in ("nodes_truenodeids", "nodes_falsenodeids"):
        ids = attributes[name][is_branch]
        _require(_within(ids, MAX_ENSEMBLE_NODES), where, f"has {name} out of range")
        children.append(_positions(keys, attributes["nodes_treeids"][is_branch] * MAX_ENSEMBLE_NODES + ids, where))
    n_trees = len(np.unique(attributes["nodes_treeids"]))
    _check_parents(np.flatnonzero(is_branch), np.concatenate(children), len(keys), n_trees, where)


def _positions(keys: _Ints, wanted: _Ints, where: str) -> _Ints:
    """Return where each wanted key stands in `keys`."""
    order = np.argsort(keys)
    found = np.searchsorted(keys[order], wanted)
    is_there = found < len(keys)
    is_there[is_there] = keys[order][found[is_there]] == wanted[is_there]
    _require(bool(is_there.all()), where, "points at a node that is not in its tree")
    return np.asarray(order[found], dtype=np.int64)


def _check_parents(branches: _Ints, children: _Ints, n_nodes: int, n_trees: int, where: str) -> None:
    """Check that each node but the roots has one parent, and that every way up ends at a root."""
    counts = np.bincount(children, minlength=n_nodes)
    _require(int(counts.max(initial=0)) <= 1, where, "has a node with two parents")
    _require(int((counts == 0).sum()) == n_trees, where, f"has {int((counts == 0).sum())} roots for {n_trees} trees")
    parents = np.arange(n_nodes)
    parents[children] = np.tile(branches, len(children) // max(len(branches), 1))
    # Doubling the step each time, every node is at its root after log2(depth) rounds, unless it runs in a circle.
    for _ in range(MAX_TREE_DEPTH.bit_length()):
        parents = parents[parents]
    _require(bool((counts[parents] == 0).all()), where, f"has a cycle, or a tree deeper than {MAX_TREE_DEPTH:,}")


def _check_leaves(kind: str, attributes: Attributes, keys: _Ints, where: str) -> None:
    ids = attributes.get(f"{kind}_ids", np.empty(0, np.int64))
    weights = _either(attributes, f"{kind}_weights", where)
    columns = [f"{kind}_treeids", f"{kind}_nodeids", weights]
    _require(
        len(ids) > 0 and all(len(attributes.get(name, ())) == len(ids) for name in columns),
        where,
        f"has {kind} arrays of unequal length",
    )
    n_targets = _n_labels(attributes) if kind == "class" else int(attributes.get("n_targets", 0))
    _require(0 < n_targets <= MAX_CLASSES and _within(ids, n_targets), where, f"has a {kind} id out of range")
    _positions(keys, attributes[f"{kind}_treeids"] * MAX_ENSEMBLE_NODES + attributes[f"{kind}_nodeids"], where)
    _check_base_values(attributes, n_targets, where)


def _check_base_values(attributes: Attributes, n_targets: int, where: str) -> None:
    for name in ("base_values", "base_values_as_tensor"):
        length = len(attributes.get(name, ()))
        _require(length in (0, 1, n_targets), where, f"has {length} {name} for {n_targets} targets")


def _n_labels(attributes: Attributes) -> int:
    return max(len(attributes.get(f"classlabels_{kind}", ())) for kind in ("int64s", "ints", "strings"))


def _check_ensemble_v5(attributes: Attributes, where: str) -> None:
    """Check the arrays of ai.onnx.ml 5's TreeEnsemble: branches and leaves are numbered apart, from 0, over all trees."""
    n_branches, n_leaves = len(attributes.get("nodes_featureids", ())), len(attributes.get("leaf_targetids", ()))
    _require(
        0 < n_branches <= MAX_ENSEMBLE_NODES and 0 < n_leaves <= MAX_ENSEMBLE_NODES,
        where,
        f"has {n_branches:,} tree nodes and {n_leaves:,} leaves",
    )
    for name in (
        "nodes_splits",
        "nodes_modes",
        "nodes_truenodeids",
        "nodes_falsenodeids",
        "nodes_trueleafs",
        "nodes_falseleafs",
    ):
        _require(
            len(attributes.get(name, ())) == n_branches,
            where,
            f"has {n_branches:,} tree nodes but {len(attributes.get(name, ())):,} {name}",
        )
    for name in ("nodes_missing_value_tracks_true", "nodes_hitrates"):
        _require(
            len(attributes.get(name, ())) in (0, n_branches), where, f"has {name} of another length than its nodes"
        )
    _require(
        len(attributes.get("leaf_weights", ())) == n_leaves, where, "has leaf_weights of another length than its leaves"
    )
    n_targets = int(attributes.get("n_targets", 0))
    _require(
        0 < n_targets <= MAX_CLASSES and _within(attributes["leaf_targetids"], n_targets),
        where,
        "has a target id out of range",
    )
    _require(_within(attributes["nodes_featureids"], MAX_WIDTH), where, "has a feature id out of range")
    _require(
        _within(attributes["nodes_modes"], 6) and "membership_values" not in attributes,
        where,
        "has set memberships or a node mode that is none",
    )
    _check_forest_v5(attributes, n_branches, n_leaves, where)


def _check_forest_v5(attributes: Attributes, n_branches: int, n_leaves: int, where: str) -> None:
    children = []
    for side in ("true", "false"):
        ids, is_leaf = attributes[f"nodes_{side}nodeids"], attributes[f"nodes_{side}leafs"]
        _require(set(np.unique(is_leaf)) <= {0, 1}, where, f"has nodes_{side}leafs other than 0 and 1")
        _require(
            bool((ids >= 0).all() and (ids < np.where(is_leaf == 1, n_leaves, n_branches)).all()),
            where,
            "points at a node that is not there",
        )
        children.append(np.where(is_leaf == 1, ids + n_branches, ids))
    roots = attributes.get("tree_roots", np.empty(0, np.int64))
    _require(
        len(roots) > 0 and _within(roots, n_branches) and len(np.unique(roots)) == len(roots),
        where,
        "has tree_roots out of range",
    )
    _require(not np.isin(roots, np.concatenate(children)).any(), where, "has a root within another tree")
    _check_parents(np.arange(n_branches), np.concatenate(children), n_branches + n_leaves, len(roots), where)


def _check_svm(op_type: str, attributes: Attributes, where: str) -> None:
    vectors, coefficients = len(attributes.get("support_vectors", ())), len(attributes.get("coefficients", ()))
    _require(len(attributes.get("kernel_params", ())) in (0, 3), where, "has kernel_params other than three")
    if op_type == "SVMRegressor":
        n_supports = int(attributes.get("n_supports", 0))
        _require(
            0 < n_supports <= vectors and vectors % n_supports == 0 and coefficients == n_supports,
            where,
            "has support vectors and coefficients of unequal number",
        )
        _require(len(attributes.get("rho", ())) == 1, where, "has more or fewer than one rho")
        return
    _check_svm_classes(attributes, vectors, coefficients, where)


def _check_svm_classes(attributes: Attributes, vectors: int, coefficients: int, where: str) -> None:
    per_class, n_classes = attributes.get("vectors_per_class", np.empty(0, np.int64)), _n_labels(attributes)
    _require(
        1 < n_classes <= MAX_CLASSES and len(per_class) == n_classes and _within(per_class, MAX_ENSEMBLE_NODES),
        where,
        "has vectors_per_class that do not fit its classes",
    )
    n_supports, n_pairs = int(per_class.sum()), n_classes * (n_classes - 1) // 2
    _require(
        0 < n_supports <= vectors and vectors % n_supports == 0,
        where,
        "has support vectors that do not fit vectors_per_class",
    )
    _require(
        coefficients == n_supports * (n_classes - 1),
        where,
        f"has {coefficients:,} coefficients for {n_supports:,} support vectors and {n_classes} classes",
    )
    _require(
        len(attributes.get("rho", ())) == n_pairs,
        where,
        f"has {len(attributes.get('rho', ()))} rho for {n_pairs} pairs of classes",
    )
    for name in ("prob_a", "prob_b"):
        _require(
            len(attributes.get(name, ())) in (0, n_pairs),
            where,
            f"has {name} of another length than its pairs of classes",
        )


def _check_linear(attributes: Attributes, where: str) -> None:
    coefficients, intercepts = len(attributes.get("coefficients", ())), len(attributes.get("intercepts", ()))
    n_targets = intercepts or int(attributes.get("targets", 1))
    _require(
        coefficients > 0 and n_targets > 0 and coefficients % n_targets == 0,
        where,
        f"has {coefficients:,} coefficients for {n_targets:,} intercepts",
    )
    _require(
        _n_labels(attributes) <= MAX_CLASSES and int(attributes.get("targets", 1)) in (1, n_targets),
        where,
        "has targets that do not fit its coefficients",
    )


def _check_pairs(attributes: Attributes, where: str) -> None:
    keys = [len(value) for name, value in attributes.items() if name.startswith(("keys_", "cats_int64s"))]
    values = [len(value) for name, value in attributes.items() if name.startswith(("values_", "cats_strings"))]
    _require(not keys or not values or keys == values, where, "has keys and values of unequal number")


def _either(attributes: Attributes, name: str, where: str) -> str:
    """Return the name of the plain or the tensor form of an attribute, whichever is there, and never both."""
    found = [candidate for candidate in (name, f"{name}_as_tensor") if candidate in attributes]
    _require(len(found) == 1, where, f"has {len(found)} of {name} and {name}_as_tensor")
    return found[0]


def _within(ids: Any, bound: int) -> bool:
    return len(ids) == 0 or bool(np.min(ids) >= 0 and np.max(ids) < bound)


def _require(condition: bool, where: str, fault: str) -> None:
    if not condition:
        raise UnsafeGraph(f"{where} {fault}.")

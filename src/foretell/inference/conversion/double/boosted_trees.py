"""XGBoost's and LightGBM's trees, read from the models' own JSON.

XGBoost computes in float32 throughout, LightGBM in float64: the graph does the same, in the same order.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from foretell.inference.conversion.double.emitting import DOUBLE, FLOAT, INT64, Emitter
from foretell.inference.conversion.double.forests import LESS, Forest, Tree
from foretell.inference.errors import UnsupportedModel

_XGBOOST_LINKS = {
    "reg:squarederror": "Identity",
    "reg:absoluteerror": "Identity",
    "reg:pseudohubererror": "Identity",
    "reg:quantileerror": "Identity",
    "reg:logistic": "Sigmoid",
    "binary:logistic": "Sigmoid",
    "multi:softprob": "Softmax",
    "multi:softmax": "Softmax",
    "count:poisson": "Exp",
    "reg:gamma": "Exp",
    "reg:tweedie": "Exp",
    "rank:ndcg": "Identity",
    "rank:map": "Identity",
    "rank:pairwise": "Identity",
}
_LIGHTGBM_LINKS = {
    "regression": "Identity",
    "regression_l1": "Identity",
    "huber": "Identity",
    "fair": "Identity",
    "quantile": "Identity",
    "mape": "Identity",
    "binary": "Sigmoid",
    "multiclass": "Softmax",
    "poisson": "Exp",
    "gamma": "Exp",
    "tweedie": "Exp",
    "lambdarank": "Identity",
}


def xgboost(to: Emitter) -> None:
    """Emit any estimator of XGBoost with trees of numbers."""
    booster = to.estimator.get_booster()
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    link = _link(_XGBOOST_LINKS, learner["objective"]["name"])
    if learner["gradient_booster"]["name"] != "gbtree":
        raise UnsupportedModel(f"there is no converter for the booster {learner['gradient_booster']['name']}")
    margins = _xgboost_margins(to, learner, _xgboost_trees(booster, learner))
    _answer(to, to.node(link, margins), np.float32)


def _xgboost_trees(booster: Any, learner: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Return the trees that predict() uses, each with its target: up to the best iteration, where training stopped early."""
    model = learner["gradient_booster"]["model"]
    trees = list(zip(model["tree_info"], model["trees"], strict=True))
    best = booster.attributes().get("best_iteration")
    pointers = model.get("iteration_indptr")
    return trees[: pointers[int(best) + 1]] if best is not None and pointers else trees


def _xgboost_margins(to: Emitter, learner: dict[str, Any], trees: list[tuple[int, dict[str, Any]]]) -> str:
    parameters = learner["learner_model_param"]
    n_targets = max(1, int(parameters["num_class"]), int(parameters.get("num_target", 1)))
    forest = Forest(n_targets, mode=LESS)
    for target, margin in enumerate(_xgboost_base(parameters, learner["objective"]["name"], n_targets)):
        forest.add_constant(margin, target=target)
    for target, tree in trees:
        forest.add(_xgboost_tree(tree), target=target)
    return forest.emit(to, to.node("Cast", to.source, to=FLOAT), dtype=np.float32)


def _xgboost_base(parameters: dict[str, Any], objective: str, n_targets: int) -> list[float]:
    scores = json.loads(parameters["base_score"])
    values = np.array(scores if isinstance(scores, list) else [scores], dtype=np.float32)
    if _XGBOOST_LINKS[objective] == "Sigmoid":
        values = -np.log(np.float32(1) / values - np.float32(1))
    elif _XGBOOST_LINKS[objective] == "Exp":
        values = np.log(values)
    return [float(value) for value in np.broadcast_to(values, n_targets)]


def _xgboost_tree(tree: dict[str, Any]) -> Tree:
    if any(tree.get("split_type", ())):
        raise UnsupportedModel("there is no converter for XGBoost's trees of categories")
    left = np.array(tree["left_children"])
    thresholds = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    return Tree(
        left=left,
        right=np.array(tree["right_children"]),
        feature=np.array(tree["split_indices"]),
        threshold=thresholds,
        is_leaf=left == -1,
        values=thresholds[:, None],
        missing_left=np.array(tree["default_left"]),
    )


def lightgbm(to: Emitter) -> None:
    """Emit any estimator of LightGBM with trees of numbers."""
    booster = to.estimator.booster_
    model = booster.dump_model(num_iteration=booster.best_iteration)
    words = str(model.get("objective", "")).split()
    if model.get("average_output") or any(word in ("sqrt", "reg_sqrt") for word in words[1:]):
        raise UnsupportedModel("there is no converter for this kind of LightGBM model")
    link = _link(_LIGHTGBM_LINKS, words[0] if words else "none")
    forest = Forest(model["num_tree_per_iteration"])
    for position, tree in enumerate(model["tree_info"]):
        forest.add(_lightgbm_tree(tree["tree_structure"]), target=position % forest.n_targets)
    raw = forest.emit(to, to.source)
    steepness = next((float(word.partition(":")[2]) for word in words if word.startswith("sigmoid:")), 1.0)
    _answer(to, to.node(link, to.node("Mul", raw, np.array([steepness])) if link == "Sigmoid" else raw), np.float64)


def _lightgbm_tree(root: dict[str, Any]) -> Tree:
    nodes = list(_walk(root))
    numbers = {id(node): position for position, node in enumerate(nodes)}

    def column(name: str, default: float) -> Any:
        return np.array([node.get(name, default) for node in nodes])

    def children(name: str) -> Any:
        return np.array([numbers[id(node[name])] if name in node else -1 for node in nodes])

    return Tree(
        left=children("left_child"),
        right=children("right_child"),
        feature=column("split_feature", 0),
        threshold=column("threshold", 0.0).astype(np.float64),
        is_leaf=np.array(["left_child" not in node for node in nodes]),
        values=column("leaf_value", 0.0).astype(np.float64)[:, None],
        missing_left=np.array([_goes_left(node) for node in nodes]),
    )


def _walk(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [node[side] for side in ("left_child", "right_child") if side in node]


def _goes_left(node: dict[str, Any]) -> bool:
    """Whether a missing value goes left; where training saw none, LightGBM takes it for a zero."""
    if "left_child" not in node:
        return False
    if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
        raise UnsupportedModel(
            "there is no converter for LightGBM's trees of categories, or with zeros as missing values"
        )
    return bool(node["default_left"]) if node["missing_type"] == "NaN" else node["threshold"] >= 0.0


def _link(links: dict[str, str], objective: str) -> str:
    if objective not in links:
        raise UnsupportedModel(f"there is no converter for the objective {objective}")
    return links[objective]


def _answer(to: Emitter, values: str, dtype: Any) -> None:
    """Emit the outputs: the value of a regressor, or the label and the shares of a classifier, compared as the model does."""
    if not hasattr(to.estimator, "classes_"):
        to.node("Cast", values, output=to.outputs[0], to=DOUBLE)
        return
    if len(to.estimator.classes_) > 2:
        to.node("Cast", values, output=to.outputs[1], to=DOUBLE)
        positions = to.node("ArgMax", values, axis=1, keepdims=0)
    else:
        first = to.node(
            "Sub", to.node("Cast", np.array([1.0]), to=FLOAT) if dtype == np.float32 else np.array([1.0]), values
        )
        to.node("Cast", to.node("Concat", first, values, axis=1), output=to.outputs[1], to=DOUBLE)
        is_second = to.node("Greater", values, np.array([0.5], dtype=dtype))
        positions = to.node("Reshape", to.node("Cast", is_second, to=INT64), np.array([-1]))
    to.labels(positions, to.estimator.classes_, output=to.outputs[0])

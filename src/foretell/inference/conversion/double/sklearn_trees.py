"""scikit-learn's trees, forests and gradient boosting in float64."""

from typing import Any

import numpy as np

from foretell.inference.conversion.double.emitting import INT64, Emitter
from foretell.inference.conversion.double.forests import Array, Forest, Tree
from foretell.inference.errors import UnsupportedModel


def tree_classifier(to: Emitter) -> None:
    """Emit DecisionTreeClassifier, ExtraTreeClassifier and forests of them: the mean of the leaves' distributions."""
    model = to.estimator
    if model.n_outputs_ != 1:
        raise UnsupportedModel("there is no converter for classifiers of several outputs")
    trees = getattr(model, "estimators_", None) or [model]
    forest = Forest(len(model.classes_))
    for tree in trees:
        forest.add(_tree(tree.tree_, _distribution(tree.tree_.value[:, 0, :])))
    sums = forest.emit(to, to.rounded(to.source))
    shares = to.node("Div", sums, np.array([float(len(trees))]), output=to.outputs[1])
    _label_of_highest(to, shares)


def tree_regressor(to: Emitter) -> None:
    """Emit DecisionTreeRegressor, ExtraTreeRegressor and forests of them: the mean of the leaves' values."""
    model = to.estimator
    trees = getattr(model, "estimators_", None) or [model]
    forest = Forest(model.n_outputs_)
    for tree in trees:
        forest.add(_tree(tree.tree_, tree.tree_.value[:, :, 0]))
    sums = forest.emit(to, to.rounded(to.source))
    to.node("Div", sums, np.array([float(len(trees))]), output=to.outputs[0])


def gradient_boosting_classifier(to: Emitter) -> None:
    model = to.estimator
    raw = _gradient_boosting(to)
    if model.estimators_.shape[1] > 1:
        shares = to.node("Softmax", raw, output=to.outputs[1], axis=1)
        _label_of_highest(to, shares)
        return
    steepness = 2.0 if model.loss == "exponential" else 1.0
    _two_classes(to, to.node("Sigmoid", to.node("Mul", raw, np.array([steepness]))))
    is_second = to.node("GreaterOrEqual", raw, np.array([0.0]))
    to.labels(
        to.node("Reshape", to.node("Cast", is_second, to=INT64), np.array([-1])), model.classes_, output=to.outputs[0]
    )


def gradient_boosting_regressor(to: Emitter) -> None:
    to.node("Identity", _gradient_boosting(to), output=to.outputs[0])


def _gradient_boosting(to: Emitter) -> str:
    model = to.estimator
    if model.init_ != "zero" and type(model.init_).__module__ != "sklearn.dummy":
        raise UnsupportedModel("there is no converter for gradient boosting that begins with an estimator of its own")
    base = model._raw_predict_init(np.zeros((1, model.n_features_in_))).ravel()
    forest = Forest(model.estimators_.shape[1])
    for stage in model.estimators_:
        for target, tree in enumerate(stage):
            forest.add(_tree(tree.tree_, model.learning_rate * tree.tree_.value[:, :, 0]), target=target)
    return to.node("Add", forest.emit(to, to.rounded(to.source)), base.astype(np.float64))


def histogram_boosting_classifier(to: Emitter) -> None:
    raw = _histogram_boosting(to)
    if to.estimator.n_trees_per_iteration_ > 1:
        shares = to.node("Softmax", raw, output=to.outputs[1], axis=1)
    else:
        shares = _two_classes(to, to.node("Sigmoid", raw))
    _label_of_highest(to, shares)


def histogram_boosting_regressor(to: Emitter) -> None:
    links = {
        "squared_error": "Identity",
        "absolute_error": "Identity",
        "quantile": "Identity",
        "poisson": "Exp",
        "gamma": "Exp",
    }
    if to.estimator.loss not in links:
        raise UnsupportedModel(f"there is no converter for the loss {to.estimator.loss}")
    to.node(links[to.estimator.loss], _histogram_boosting(to), output=to.outputs[0])


def _histogram_boosting(to: Emitter) -> str:
    model = to.estimator
    if model.is_categorical_ is not None and np.any(model.is_categorical_):
        raise UnsupportedModel("there is no converter for histogram gradient boosting with categories of its own")
    forest = Forest(model.n_trees_per_iteration_)
    for stage in model._predictors:
        for target, predictor in enumerate(stage):
            forest.add(_histogram_tree(predictor.nodes), target=target)
    return to.node("Add", forest.emit(to, to.source), np.asarray(model._baseline_prediction, dtype=np.float64).ravel())


def _tree(tree: Any, values: Array) -> Tree:
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        is_leaf=tree.children_left == -1,
        values=values,
        missing_left=np.asarray(tree.missing_go_to_left),
    )


def _histogram_tree(nodes: Array) -> Tree:
    return Tree(
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        feature=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        is_leaf=nodes["is_leaf"].astype(bool),
        values=nodes["value"][:, None],
        missing_left=nodes["missing_go_to_left"],
    )


def _distribution(counts: Array) -> Array:
    """Return shares: newer trees store them, older ones store weights."""
    sums = counts.sum(axis=1, keepdims=True)
    return np.where(np.abs(sums - 1) > 1e-9, counts / np.where(sums == 0, 1, sums), counts)


def _two_classes(to: Emitter, second: str) -> str:
    first = to.node("Sub", np.array([1.0]), second)
    return to.node("Concat", first, second, output=to.outputs[1], axis=1)


def _label_of_highest(to: Emitter, shares: str) -> None:
    to.labels(to.node("ArgMax", shares, axis=1, keepdims=0), to.estimator.classes_, output=to.outputs[0])

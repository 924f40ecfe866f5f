"""Puts our converters before skl2onnx's own, for operators whose input is float64."""

import importlib
from collections.abc import Callable
from typing import Any

from foretell.inference.conversion.double import boosted_trees, sklearn_trees, tables
from foretell.inference.conversion.double.emitting import Emitter

Converter = Callable[[Emitter], None]

_SKLEARN: dict[str, Converter] = {
    "sklearn.tree.DecisionTreeClassifier": sklearn_trees.tree_classifier,
    "sklearn.tree.ExtraTreeClassifier": sklearn_trees.tree_classifier,
    "sklearn.ensemble.RandomForestClassifier": sklearn_trees.tree_classifier,
    "sklearn.ensemble.ExtraTreesClassifier": sklearn_trees.tree_classifier,
    "sklearn.tree.DecisionTreeRegressor": sklearn_trees.tree_regressor,
    "sklearn.tree.ExtraTreeRegressor": sklearn_trees.tree_regressor,
    "sklearn.ensemble.RandomForestRegressor": sklearn_trees.tree_regressor,
    "sklearn.ensemble.ExtraTreesRegressor": sklearn_trees.tree_regressor,
    "sklearn.ensemble.GradientBoostingClassifier": sklearn_trees.gradient_boosting_classifier,
    "sklearn.ensemble.GradientBoostingRegressor": sklearn_trees.gradient_boosting_regressor,
    "sklearn.ensemble.HistGradientBoostingClassifier": sklearn_trees.histogram_boosting_classifier,
    "sklearn.ensemble.HistGradientBoostingRegressor": sklearn_trees.histogram_boosting_regressor,
    "sklearn.impute.SimpleImputer": tables.simple_imputer,
    "sklearn.preprocessing.PolynomialFeatures": tables.polynomial_features,
    "sklearn.svm.SVR": tables.support_vector_regressor,
    "sklearn.svm.NuSVR": tables.support_vector_regressor,
}
_BOOSTED: dict[str, Converter] = {
    "xgboost.XGBClassifier": boosted_trees.xgboost,
    "xgboost.XGBRegressor": boosted_trees.xgboost,
    "xgboost.XGBRFClassifier": boosted_trees.xgboost,
    "xgboost.XGBRFRegressor": boosted_trees.xgboost,
    "xgboost.XGBRanker": boosted_trees.xgboost,
    "lightgbm.LGBMClassifier": boosted_trees.lightgbm,
    "lightgbm.LGBMRegressor": boosted_trees.lightgbm,
    "lightgbm.LGBMRanker": boosted_trees.lightgbm,
}


def register() -> None:
    """Register over the converters that skl2onnx knows by now; what is not installed is left out."""
    for path, converter in {**_SKLEARN, **_BOOSTED}.items():
        kind = _imported(path)
        if kind is not None:
            _prefer(kind, converter)


def _imported(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError:
        return None


def _prefer(kind: Any, converter: Converter) -> None:
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common import _registration

    alias = sklearn_operator_name_map[kind]
    usual = _registration.get_converter(alias)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        if _is_double(operator):
            converter(Emitter(scope, operator, container))
        else:
            usual(scope, operator, container)

    _registration.register_converter(alias, convert, overwrite=True, options=usual.get_allowed_options())


def _is_double(operator: Any) -> bool:
    from skl2onnx.common.data_types import DoubleTensorType

    return all(isinstance(variable.type, DoubleTensorType) for variable in operator.inputs)

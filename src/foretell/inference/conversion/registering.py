"""Tells skl2onnx about the estimators of XGBoost and LightGBM, where installed, and about our own converters."""

import functools
import importlib.util

from foretell.inference.conversion import double


@functools.cache
def register_converters() -> None:
    """Register once; safe to call before each conversion."""
    if importlib.util.find_spec("xgboost"):
        _register_xgboost()
    if importlib.util.find_spec("lightgbm"):
        _register_lightgbm()
    double.register()


def _register_xgboost() -> None:
    import xgboost
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    for kind in (xgboost.XGBClassifier, xgboost.XGBRFClassifier):
        update_registered_converter(
            kind, f"XGBoost{kind.__name__}", calculate_linear_classifier_output_shapes, convert_xgboost, options=options
        )
    for kind in (xgboost.XGBRegressor, xgboost.XGBRFRegressor, xgboost.XGBRanker):
        update_registered_converter(
            kind, f"XGBoost{kind.__name__}", calculate_linear_regressor_output_shapes, convert_xgboost
        )


def _register_lightgbm() -> None:
    import lightgbm
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"], "split": None}
    update_registered_converter(
        lightgbm.LGBMClassifier,
        "LightGbmLGBMClassifier",
        calculate_linear_classifier_output_shapes,
        convert_lightgbm,
        options=options,
    )
    for kind in (lightgbm.LGBMRegressor, lightgbm.LGBMRanker):
        update_registered_converter(
            kind,
            f"LightGbm{kind.__name__}",
            calculate_linear_regressor_output_shapes,
            convert_lightgbm,
            options={"split": None},
        )

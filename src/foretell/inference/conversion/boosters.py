"""XGBoost's and LightGBM's own files and boosters, dressed as the scikit-learn estimators they came from."""

import json
from typing import Any

from foretell.inference.errors import UnsupportedModel


def from_xgboost(booster: Any) -> Any:
    """Return an XGBClassifier, XGBRanker or XGBRegressor around a Booster, by its objective."""
    import xgboost

    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    kinds = {"binary": xgboost.XGBClassifier, "multi": xgboost.XGBClassifier, "rank": xgboost.XGBRanker}
    estimator = kinds.get(objective.partition(":")[0], xgboost.XGBRegressor)()
    estimator.load_model(booster.save_raw("ubj"))
    return estimator


def from_lightgbm(booster: Any) -> Any:
    """Return an LGBMClassifier, LGBMRanker or LGBMRegressor around a Booster, by its objective."""
    import lightgbm
    import numpy as np

    objective = _lightgbm_objective(booster)
    kinds = {
        "binary": lightgbm.LGBMClassifier,
        "multiclass": lightgbm.LGBMClassifier,
        "multiclassova": lightgbm.LGBMClassifier,
    }
    kinds |= {"lambdarank": lightgbm.LGBMRanker, "rank_xendcg": lightgbm.LGBMRanker}
    estimator = kinds.get(objective, lightgbm.LGBMRegressor)()
    # The estimator has no loader of its own; these are the attributes that its fit() leaves behind.
    estimator._Booster, estimator.fitted_, estimator._objective = booster, True, objective
    estimator._n_features = estimator._n_features_in = estimator.n_features_in_ = booster.num_feature()
    estimator._best_iteration = booster.best_iteration
    if isinstance(estimator, lightgbm.LGBMClassifier):
        estimator._n_classes = max(2, booster.num_model_per_iteration())
        estimator._classes = np.arange(estimator._n_classes)
        estimator._class_map = {label: label for label in range(estimator._n_classes)}
    return estimator


def _lightgbm_objective(booster: Any) -> str:
    objective = booster.dump_model(num_iteration=1).get("objective")
    if not objective:
        raise UnsupportedModel(
            "This LightGBM model does not state its objective; push the LGBMClassifier or LGBMRegressor instead."
        )
    return str(objective).split()[0]

"""Save a forest as an MLflow model: `save_for_mlflow.py MODEL.joblib TARGET`."""

import sys

import joblib
import mlflow.sklearn

forest = joblib.load(sys.argv[1])  # noqa: TID251  our own file
mlflow.sklearn.save_model(forest, sys.argv[2], pip_requirements=["scikit-learn"], serialization_format="cloudpickle")

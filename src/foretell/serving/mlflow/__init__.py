"""MLflow's scoring protocol, as `mlflow models serve` speaks it; SageMaker's containers have the same addresses."""

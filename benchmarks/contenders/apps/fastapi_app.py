"""FastAPI as its tutorials write it; BENCH_RUNTIME is sklearn or onnx."""

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field


class Iris(BaseModel):
    sepal_length: float = Field(alias="sepal length (cm)")
    sepal_width: float = Field(alias="sepal width (cm)")
    petal_length: float = Field(alias="petal length (cm)")
    petal_width: float = Field(alias="petal width (cm)")


class Wide(BaseModel):
    instances: list[list[float]]


class Forest:
    def __init__(self, path: Path) -> None:
        import joblib

        self.model = joblib.load(path)  # noqa: TID251  our own file

    def __call__(self, rows: list[list[float]]) -> tuple[list[Any], list[Any]]:
        import numpy as np

        probabilities = self.model.predict_proba(np.array(rows))
        return self.model.classes_[probabilities.argmax(axis=1)].tolist(), probabilities.tolist()


if os.environ["BENCH_RUNTIME"] == "onnx":
    from onnx_models import GRAPHS as MODELS
else:
    MODELS = {
        "iris": Forest(Path(os.environ["BENCH_FOREST"])),
        "wide": Forest(Path(os.environ["BENCH_MODELS"]) / "wide.joblib"),
    }
app = FastAPI()


@app.post("/predict/iris")
async def one(row: Iris) -> dict[str, Any]:
    values = [row.sepal_length, row.sepal_width, row.petal_length, row.petal_width]
    labels, probabilities = MODELS["iris"]([values])
    return {"prediction": labels[0], "probabilities": probabilities[0]}


@app.post("/predict/wide")
async def many(rows: Wide) -> dict[str, Any]:
    labels, probabilities = MODELS["wide"](rows.instances)
    return {"predictions": labels, "probabilities": probabilities}

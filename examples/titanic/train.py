"""Train a pipeline that takes the Titanic's passenger list as it is, and push it.

    python examples/titanic/train.py

The server and the key come from the environment (FORETELL_URL, FORETELL_API_KEY, FORETELL_TENANT) or from `foretell login`.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import foretell

NAME = "titanic"
DATA = Path(__file__).with_name("titanic.csv")
TARGET = "survived"
COLUMNS = ["pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"]
OUTCOMES = {0: "died", 1: "survived"}  # the list has 0 and 1; people and programs read the words
DESCRIPTION = "Whether a passenger of the Titanic survived, from the passenger list (891 people)."
REFINEMENTS = {
    "inputs": {
        "pclass": {"help": "Class of the ticket: 1 is first class.", "example": 1},
        "sex": {"example": "female"},
        "age": {
            "unit": "years",
            "help": "May be left out: the list does not know it for 177 people.",
            "limits": [0, 120],
            "example": 29,
        },
        "sibsp": {"help": "Brothers, sisters and spouses aboard.", "limits": [0, None], "example": 0},
        "parch": {"help": "Parents and children aboard.", "limits": [0, None], "example": 0},
        "fare": {"unit": "£", "help": "Price of the ticket.", "limits": [0, None], "example": 211.3375},
        "embarked": {"help": "Port: C is Cherbourg, Q Queenstown, S Southampton. May be left out.", "example": "S"},
    },
    "outputs": {"prediction": {"help": "What became of the passenger."}},
}


class Trained(NamedTuple):
    model: Any
    sample: Any
    metrics: dict[str, float]


def pipeline() -> Pipeline:
    """Everything between a line of the list and an answer, so that callers send the line as it is."""
    known_age = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    known_port = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer(
        [
            ("age", known_age, ["age"]),
            ("numbers", StandardScaler(), ["sibsp", "parch", "fare"]),
            ("words", OneHotEncoder(), ["pclass", "sex"]),
            ("port", known_port, ["embarked"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def train() -> Trained:
    """Fit on all passengers; measure by cross-validation."""
    people = pd.read_csv(DATA)
    X, y = people[COLUMNS], people[TARGET].map(OUTCOMES).to_numpy(dtype=str)
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=1)
    accuracy = cross_val_score(pipeline(), X, y, cv=folds).mean()
    return Trained(pipeline().fit(X, y), X, {"cv_accuracy": round(float(accuracy), 4)})


def push() -> Any:
    model, sample, metrics = train()
    return foretell.push(
        model,
        NAME,
        sample=sample,
        metrics=metrics,
        tags={"data": "passenger list, 891 people"},
        description=DESCRIPTION,
        refinements=REFINEMENTS,
    )


if __name__ == "__main__":
    push()

"""Train the random forest of every iris tutorial, and push it.

    python examples/iris/train.py

The server and the key come from the environment (FORETELL_URL, FORETELL_API_KEY, FORETELL_TENANT) or from `foretell login`.
"""

from typing import Any, NamedTuple

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score, train_test_split

import foretell

NAME = "iris"
DESCRIPTION = "Which of three species an iris is, from the lengths and widths of its sepals and petals (Fisher, 1936)."
REFINEMENTS = {
    "inputs": {
        "sepal length (cm)": {"unit": "cm", "help": "Of an outer leaf of the flower."},
        "sepal width (cm)": {"unit": "cm", "help": "Of an outer leaf of the flower."},
        "petal length (cm)": {"unit": "cm", "help": "Of an inner leaf of the flower."},
        "petal width (cm)": {"unit": "cm", "help": "Of an inner leaf of the flower."},
    },
    "outputs": {"prediction": {"help": "The species."}},
}


class Trained(NamedTuple):
    model: Any
    sample: Any
    metrics: dict[str, float]


def train() -> Trained:
    """Fit on four fifths of the flowers; measure on the last fifth, and by cross-validation on all of them."""
    iris = load_iris(as_frame=True)
    X, y = iris.data, iris.target_names[iris.target]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=1)
    forest = RandomForestClassifier(n_estimators=10, random_state=1)
    metrics = {
        "cv_accuracy": float(cross_val_score(forest, X, y, cv=5).mean()),
        "test_accuracy": float(forest.fit(X_train, y_train).score(X_test, y_test)),
    }
    return Trained(forest, X_train, {name: round(value, 4) for name, value in metrics.items()})


def push() -> Any:
    model, sample, metrics = train()
    return foretell.push(
        model,
        NAME,
        sample=sample,
        metrics=metrics,
        tags={"data": "scikit-learn's iris, 150 flowers"},
        description=DESCRIPTION,
        refinements=REFINEMENTS,
    )


if __name__ == "__main__":
    push()

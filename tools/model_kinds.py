"""The kinds of estimator and pipeline that conversion is held to, each on a real data set.

Read by the tests and by tools/model_table.py. Every kind is fitted here and now, on public data.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import pandas as pd
import xgboost
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

ROOT = Path(__file__).resolve().parent.parent
_NUMBERS, _WORDS = ["age", "sibsp", "parch", "fare"], ["sex", "embarked"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A name for people, the data set, and what makes the unfitted estimator."""

    name: str
    data: str
    make: Callable[[], Any]

    def fitted(self) -> tuple[Any, pd.DataFrame]:
        """Return the fitted estimator and the rows it was fitted on."""
        rows, target = dataset(self.data)
        return self.make().fit(rows, target), rows


@functools.cache
def dataset(name: str) -> tuple[pd.DataFrame, Any]:
    if name == "titanic":
        passengers = pd.read_csv(ROOT / "examples" / "titanic" / "titanic.csv")
        return passengers[["pclass", *_WORDS, *_NUMBERS]], passengers["survived"]
    if name == "titanic, categories":
        rows, target = dataset("titanic")
        return rows.astype(dict.fromkeys(_WORDS, "category")), target
    if name == "linnerud":
        bunch = datasets.load_linnerud(as_frame=True)
        return bunch.data, bunch.target
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    target = pd.Series(bunch.target_names[bunch.target], dtype=object) if name == "iris" else bunch.target
    if name == "digits":
        return bunch.data[:600], target[:600]
    return bunch.data, target


def two_labels() -> pd.DataFrame:
    """Return two questions about a flower, for classifiers of several outputs."""
    bunch = datasets.load_iris(as_frame=True)
    return pd.DataFrame({"species": bunch.target, "is_long": (bunch.data.iloc[:, 0] > 5.8).astype(int)})


@dataclass(frozen=True, slots=True)
class TwoLabels(Kind):
    def fitted(self) -> tuple[Any, pd.DataFrame]:
        rows, _ = dataset("iris")
        return self.make().fit(rows, two_labels()), rows


def passengers(model: Any, *, words: Any = None) -> Any:
    """Return a pipeline that takes the passenger list as it is: words as words, missing ages as missing."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = words or make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer(
        [
            ("numbers", numbers, _NUMBERS),
            ("words", words, _WORDS),
            ("class", OneHotEncoder(handle_unknown="ignore"), ["pclass"]),
        ]
    )
    return make_pipeline(columns, model)


def _trees() -> list[tuple[str, Any]]:
    return [
        ("linear", LogisticRegression(max_iter=5_000)),
        ("tree", DecisionTreeClassifier(max_depth=4, random_state=0)),
    ]


def _regressors() -> list[tuple[str, Any]]:
    return [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=4, random_state=0))]


KINDS: tuple[Kind, ...] = (
    Kind("LogisticRegression", "iris", lambda: LogisticRegression(max_iter=5_000)),
    Kind("StandardScaler, LogisticRegression", "breast_cancer", lambda: make_pipeline(StandardScaler(), LogisticRegression())),
    Kind("RidgeClassifier", "wine", RidgeClassifier),
    Kind("SGDClassifier", "iris", lambda: SGDClassifier(random_state=0)),
    Kind("Perceptron", "iris", lambda: Perceptron(random_state=0)),
    Kind("LinearDiscriminantAnalysis", "wine", LinearDiscriminantAnalysis),
    Kind("QuadraticDiscriminantAnalysis", "iris", QuadraticDiscriminantAnalysis),
    Kind("GaussianNB", "iris", GaussianNB),
    Kind("BernoulliNB", "digits", BernoulliNB),
    Kind("DecisionTreeClassifier", "iris", lambda: DecisionTreeClassifier(random_state=0)),
    Kind("ExtraTreeClassifier", "wine", lambda: ExtraTreeClassifier(random_state=0)),
    Kind("RandomForestClassifier", "iris", lambda: RandomForestClassifier(10, random_state=1)),
    Kind("RandomForestClassifier, 10 classes", "digits", lambda: RandomForestClassifier(20, random_state=0)),
    Kind("StandardScaler, RandomForestClassifier", "breast_cancer", lambda: make_pipeline(StandardScaler(), RandomForestClassifier(50, random_state=0))),
    Kind("ExtraTreesClassifier", "breast_cancer", lambda: ExtraTreesClassifier(30, random_state=0)),
    Kind("GradientBoostingClassifier", "iris", lambda: GradientBoostingClassifier(n_estimators=20, random_state=0)),
    Kind("GradientBoostingClassifier, exponential", "breast_cancer", lambda: GradientBoostingClassifier(loss="exponential", n_estimators=20, random_state=0)),
    Kind("HistGradientBoostingClassifier", "breast_cancer", lambda: HistGradientBoostingClassifier(max_iter=30, random_state=0)),
    Kind("HistGradientBoostingClassifier, 3 classes", "wine", lambda: HistGradientBoostingClassifier(max_iter=15, random_state=0)),
    Kind("AdaBoostClassifier", "iris", lambda: AdaBoostClassifier(n_estimators=15, random_state=0)),
    Kind("BaggingClassifier", "iris", lambda: BaggingClassifier(n_estimators=5, random_state=0)),
    Kind("VotingClassifier, soft", "breast_cancer", lambda: make_pipeline(StandardScaler(), VotingClassifier(_trees(), voting="soft"))),
    Kind("VotingClassifier, hard", "iris", lambda: VotingClassifier(_trees())),
    Kind("StackingClassifier", "breast_cancer", lambda: make_pipeline(StandardScaler(), StackingClassifier(_trees()))),
    Kind("CalibratedClassifierCV of LinearSVC", "breast_cancer", lambda: make_pipeline(StandardScaler(), CalibratedClassifierCV(LinearSVC()))),
    Kind("GridSearchCV of SVC", "iris", lambda: GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=3)),
    Kind("LinearSVC", "wine", lambda: make_pipeline(StandardScaler(), LinearSVC())),
    Kind("SVC", "breast_cancer", lambda: make_pipeline(StandardScaler(), SVC())),
    Kind("SVC, polynomial", "iris", lambda: SVC(kernel="poly")),
    Kind("KNeighborsClassifier", "iris", KNeighborsClassifier),
    Kind("NearestCentroid", "iris", NearestCentroid),
    Kind("MLPClassifier", "iris", lambda: make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(16,), solver="lbfgs", max_iter=300, random_state=0))),
    Kind("SelectKBest, LogisticRegression", "wine", lambda: make_pipeline(StandardScaler(), SelectKBest(k=5), LogisticRegression())),
    Kind("PCA, SVC", "digits", lambda: make_pipeline(MinMaxScaler(), PCA(20, random_state=0), SVC())),
    TwoLabels("MultiOutputClassifier", "iris", lambda: MultiOutputClassifier(LogisticRegression(max_iter=5_000))),
    TwoLabels("RandomForestClassifier, 2 outputs", "iris", lambda: RandomForestClassifier(5, random_state=0)),
    Kind("titanic: LogisticRegression", "titanic", lambda: passengers(LogisticRegression())),
    Kind("titanic: RandomForestClassifier", "titanic", lambda: passengers(RandomForestClassifier(50, random_state=0))),
    Kind("titanic: GradientBoostingClassifier", "titanic", lambda: passengers(GradientBoostingClassifier(n_estimators=50, random_state=0))),
    Kind("titanic: HistGradientBoostingClassifier", "titanic", lambda: passengers(HistGradientBoostingClassifier(max_iter=30, random_state=0))),
    Kind("titanic: SVC", "titanic", lambda: passengers(SVC())),
    Kind("titanic: KNeighborsClassifier", "titanic", lambda: passengers(KNeighborsClassifier())),
    Kind("titanic: XGBClassifier", "titanic", lambda: passengers(xgboost.XGBClassifier(n_estimators=30))),
    Kind("titanic: LGBMClassifier", "titanic", lambda: passengers(lightgbm.LGBMClassifier(n_estimators=30, verbose=-1))),
    Kind("titanic: OrdinalEncoder, DecisionTreeClassifier", "titanic", lambda: make_pipeline(
        make_column_transformer((OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), _WORDS), (SimpleImputer(), _NUMBERS), remainder="passthrough"),
        DecisionTreeClassifier(max_depth=6, random_state=0),
    )),
    Kind("titanic: columns left out", "titanic", lambda: make_pipeline(
        make_column_transformer((OneHotEncoder(), ["sex"]), (SimpleImputer(), ["fare"])), LogisticRegression()
    )),
    Kind("titanic: numbers alone, gaps and all", "titanic", lambda: make_pipeline(
        make_column_transformer(("passthrough", [*_NUMBERS, "pclass"])), HistGradientBoostingClassifier(max_iter=20, random_state=0)
    )),
    Kind("titanic: HistGradientBoostingClassifier of categories", "titanic, categories", lambda: HistGradientBoostingClassifier(max_iter=20, random_state=0)),
    Kind("titanic: LGBMClassifier of categories", "titanic, categories", lambda: lightgbm.LGBMClassifier(n_estimators=15, verbose=-1)),
    Kind("titanic: XGBClassifier of categories", "titanic, categories", lambda: xgboost.XGBClassifier(n_estimators=15, enable_categorical=True)),
    Kind("XGBClassifier", "wine", lambda: xgboost.XGBClassifier(n_estimators=15)),
    Kind("XGBClassifier, 2 classes", "breast_cancer", lambda: xgboost.XGBClassifier(n_estimators=15)),
    Kind("LGBMClassifier", "wine", lambda: lightgbm.LGBMClassifier(n_estimators=15, verbose=-1)),
    Kind("LGBMClassifier, 2 classes", "breast_cancer", lambda: lightgbm.LGBMClassifier(n_estimators=15, verbose=-1)),
    Kind("LinearRegression", "diabetes", LinearRegression),
    Kind("Ridge of PolynomialFeatures", "diabetes", lambda: make_pipeline(PolynomialFeatures(2), Ridge())),
    Kind("Lasso", "diabetes", lambda: Lasso(alpha=0.1)),
    Kind("ElasticNet", "diabetes", lambda: ElasticNet(alpha=0.01)),
    Kind("BayesianRidge", "diabetes", BayesianRidge),
    Kind("HuberRegressor", "diabetes", lambda: HuberRegressor(max_iter=1_000)),
    Kind("PoissonRegressor", "diabetes", lambda: PoissonRegressor(max_iter=1_000)),
    Kind("LinearSVR", "diabetes", lambda: LinearSVR(max_iter=10_000)),
    Kind("SVR", "diabetes", lambda: make_pipeline(StandardScaler(), SVR())),
    Kind("KNeighborsRegressor", "diabetes", KNeighborsRegressor),
    Kind("KernelRidge", "diabetes", lambda: KernelRidge(kernel="rbf")),
    Kind("GaussianProcessRegressor", "diabetes", lambda: GaussianProcessRegressor(alpha=0.5, optimizer=None)),
    Kind("DecisionTreeRegressor", "diabetes", lambda: DecisionTreeRegressor(random_state=0)),
    Kind("RandomForestRegressor", "diabetes", lambda: RandomForestRegressor(50, random_state=0)),
    Kind("ExtraTreesRegressor", "diabetes", lambda: make_pipeline(RobustScaler(), ExtraTreesRegressor(30, random_state=0))),
    Kind("GradientBoostingRegressor", "diabetes", lambda: GradientBoostingRegressor(n_estimators=50, random_state=0)),
    Kind("HistGradientBoostingRegressor", "diabetes", lambda: HistGradientBoostingRegressor(max_iter=50, random_state=0)),
    Kind("AdaBoostRegressor", "diabetes", lambda: AdaBoostRegressor(n_estimators=10, random_state=0)),
    Kind("BaggingRegressor", "diabetes", lambda: BaggingRegressor(n_estimators=5, random_state=0)),
    Kind("VotingRegressor", "diabetes", lambda: VotingRegressor(_regressors())),
    Kind("StackingRegressor", "diabetes", lambda: StackingRegressor(_regressors())),
    Kind("TransformedTargetRegressor", "diabetes", lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler())),
    Kind("MLPRegressor", "diabetes", lambda: make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=2_000, tol=1e-3, random_state=0))),
    Kind("MultiOutputRegressor", "linnerud", lambda: MultiOutputRegressor(Ridge())),
    Kind("RandomForestRegressor, 3 outputs", "linnerud", lambda: RandomForestRegressor(10, random_state=0)),
    Kind("XGBRegressor", "diabetes", lambda: xgboost.XGBRegressor(n_estimators=30)),
    Kind("LGBMRegressor", "diabetes", lambda: lightgbm.LGBMRegressor(n_estimators=30, verbose=-1)),
    Kind("KMeans", "iris", lambda: make_pipeline(StandardScaler(), KMeans(3, n_init=3, random_state=0))),
    Kind("MiniBatchKMeans", "wine", lambda: MiniBatchKMeans(3, n_init=3, random_state=0)),
    Kind("IsolationForest", "iris", lambda: IsolationForest(n_estimators=20, random_state=0)),
    Kind("PCA", "iris", lambda: PCA(2)),
    Kind("TruncatedSVD", "wine", lambda: TruncatedSVD(3, random_state=0)),
    Kind("StandardScaler", "wine", StandardScaler),
    Kind("PowerTransformer, LogisticRegression", "iris", lambda: make_pipeline(PowerTransformer(), LogisticRegression())),
)  # fmt: skip

"""The iris forest in the two forms in which other servers have it: as tutorials train it, and tuned for serving."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Forest:
    """The same trees in both forms.

    n_jobs : what scikit-learn keeps with the forest. The tutorials train with all cores, and so each prediction asks for them too.
    """

    suffix: str
    said: str
    n_jobs: int | None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        return f"iris{self.suffix}.joblib"

    def settings(self, place: Path) -> dict[str, str]:
        """Return the environment of a server that has this forest."""
        models = place / "models"
        return {**self.environment, "BENCH_MODELS": str(models), "BENCH_FOREST": str(models / self.file)}


AS_IT_COMES = Forest("", "", -1)
TUNED = Forest("_tuned", ", tuned", None, ONE_THREAD)
BOTH = (AS_IT_COMES, TUNED)

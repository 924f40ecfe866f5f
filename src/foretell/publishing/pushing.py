"""`foretell.push`: convert, upload, wait, and tell the author at each step what was done and why."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from foretell.client import Client, Pushed, Version
from foretell.publishing.errors import CannotPush
from foretell.publishing.files import prepare_files, read_files
from foretell.publishing.lineage import lineage
from foretell.publishing.preparing import Options, Parcel, as_they_are, prepare_model
from foretell.publishing.progress import Reporter
from foretell.publishing.samples import Sample, read_sample

PUSH_TIMEOUT_S = 120.0


def push(
    model: Any,
    name: str,
    *,
    sample: Any = None,
    target: str | None = None,
    alias: str | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    refinements: Mapping[str, Any] | None = None,
    accept_difference: float | None = None,
    convert: Literal["here", "server"] = "here",
    url: str | None = None,
    api_key: str | None = None,
    tenant: str | None = None,
    client: Client | None = None,
    wait: bool = True,
    timeout_s: float = 300.0,
    progress: bool = True,
) -> Version:
    """Hand over a trained model and return it as a version that is served.

    Parameters
    ----------
    model
        A fitted estimator or pipeline; a list of fitted steps, in the order in which rows go through them; the bytes of an
        ONNX graph; or the path, or paths, of model files.
    name
        The registered model's name; it is made where there is none.
    sample : DataFrame, array, list of dicts, or path of a CSV file, optional
        Rows like those of training, at best those. Ranges, categories and the comparison with the model's own answers
        come from it. May hold the target column.
    target
        The sample's column that the model predicts; it is left out.
    alias
        Moved to the version when it is ready. Without one the first version of a model becomes its champion, if the key
        may promote.
    metrics, tags, description
        Kept with the version: numbers, texts, a text.
    refinements
        What the author knows about inputs and outputs: ``{"inputs": {"age": {"unit": "years", "help": …}}}``.
    accept_difference : float, optional
        Serve the fast graph although it is not exact, when no number or probability differs by more than this.
    convert : {"here", "server"}, default="here"
        Where a model file is converted: here, in a sandbox with the packages of this environment, or in the server's, which
        is ready at once. What is in memory is always converted here.
    url, api_key, tenant
        As in `Client`.
    client
        Use this one instead.
    wait : bool, default=True
        Return when the version is ready; otherwise as soon as it is uploaded.
    timeout_s : float, default=300
        Longest wait, in seconds.
    progress : bool, default=True
        Show progress and outcome on stderr.

    Raises
    ------
    ArtifactError, InvalidSignature
        the model, the sample or the refinements cannot be used: what was found, and the way out.
    MissingExtra
        when converting needs packages that are not installed.
    BuildFailed
        the server could not serve it; in its words.
    ClientError
        any other refusal of the server, or no server at all.
    """
    reporter = Reporter(is_quiet=not progress)
    options = Options(target=target, refinements=refinements or {}, accept_difference=accept_difference)
    facts = {
        "alias": alias,
        "metrics": _numbers(metrics or {}),
        "tags": {key: str(value) for key, value in (tags or {}).items()},
        "description": description,
    }
    own = nullcontext(client) if client else Client(url, api_key, tenant, timeout_s=PUSH_TIMEOUT_S)
    with own as connected:
        connected.me()  # an unknown key or an absent server is told now, and not after minutes of conversion
        with reporter.bars():
            found = read_sample(sample)
            with reporter.step("convert"):
                parcel = _prepare(model, found, options, is_local=convert == "here")
            metadata = _metadata(parcel, facts, options, found)
            pushed = connected.push_version(
                name, parcel.files, sample=parcel.sample, metadata=metadata, progress=reporter.uploaded
            )
            version = _built(connected, pushed, timeout_s, reporter) if wait else pushed.version
        _tell(reporter, connected, parcel, version, is_new=pushed.is_new)
        return version


def _built(client: Client, pushed: Pushed, timeout_s: float, reporter: Reporter) -> Version:
    with reporter.step("build"):
        return client.wait_until_built(pushed.version.model, pushed.version.version, timeout_s=timeout_s)


def _prepare(model: Any, sample: Sample | None, options: Options, *, is_local: bool) -> Parcel:
    paths = _paths(model)
    if not paths:
        return prepare_model(model, sample, options)
    files = read_files(paths)
    return prepare_files(files, sample, options) if is_local else as_they_are(files, sample)


def _paths(model: Any) -> list[Path]:
    """Return the paths in what was handed over; nothing where it is the model itself."""
    parts = list(model) if isinstance(model, (list, tuple)) else [model]
    named = [isinstance(part, (str, PathLike)) for part in parts]
    if not any(named):
        return []
    if not all(named):
        raise CannotPush("A chain is either all files or all fitted steps; this one mixes them.")
    return [Path(part) for part in parts]


def _metadata(parcel: Parcel, facts: Mapping[str, Any], options: Options, sample: Sample | None) -> dict[str, Any]:
    return {
        **facts,
        "target": options.target,
        "refinements": dict(options.refinements),
        "accept_difference": options.accept_difference,
        "converted": parcel.converted,
        "lineage": lineage(data=sample.csv if sample else None, libraries=parcel.libraries),
    }


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics as plain numbers: scikit-learn's scores are numpy's."""
    numbers = {}
    for key, value in metrics.items():
        try:
            numbers[key] = float(value)
        except (TypeError, ValueError):
            raise CannotPush(f"The metric {key!r} is {value!r:.60}; expected a number.") from None
        if not math.isfinite(numbers[key]):
            raise CannotPush(f"The metric {key!r} is {value!r:.60}; expected a finite number.")
    return numbers


def _tell(reporter: Reporter, client: Client, parcel: Parcel, version: Version, *, is_new: bool) -> None:
    again = "" if is_new else ", as it was pushed before"
    runtime = f", on the {version.runtime} runtime" if version.runtime else ""
    reporter.say(f"{version.model} version {version.version} is {version.state}{runtime}{again}.")
    why = version.runtime_reason or parcel.note
    if why:
        reporter.say(why)
    if not version.is_ready:
        return
    if version.reason is not None:
        reporter.warn(version.reason.message)
    if version.aliases:
        reporter.say(f"It is the {', '.join(version.aliases)}: {client.url}/models/{version.model}/")
    else:
        name = f"{version.model}:{version.version}"
        reporter.say(f"Nothing asks it yet: `foretell promote {name}` makes it the champion.")

"""Two versions beside each other: what was measured, what they take, and what they answer to the same rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from foretell.errors import ForetellError
from foretell.inference.codec.answers import json_answer
from foretell.inference.codec.json_rows import parse_json
from foretell.inference.errors import InvalidSignature
from foretell.inference.examples import Examples
from foretell.inference.predicting import predict
from foretell.inference.signature import Signature
from foretell.registry.aliases import why_callers_break
from foretell.registry.models import ModelVersion
from foretell.registry.serving import borrowed_model

Json = dict[str, Any]


def compare_metrics(a: Mapping[str, float], b: Mapping[str, float]) -> Json:
    return {name: _metric(a.get(name), b.get(name)) for name in sorted({*a, *b})}


def compare_signatures(a: Signature, b: Signature) -> Json:
    """Return what is there in one only, what is otherwise in the other, and what callers of `a` would be refused by `b`."""
    old, new = a.to_json(), b.to_json()
    differences = {side: _differences(old[side], new[side]) for side in ("inputs", "outputs")}
    return {**differences, "breaks_callers": why_callers_break(a, b)}


def compare_answers(a: ModelVersion, b: ModelVersion) -> Json:
    """Ask both the example rows that are stored with either, and say where they differ.

    Raises
    ------
    ForetellError
        where one of them cannot be asked at all.
    """
    rows = list(_distinct([*_example_rows(a), *_example_rows(b)]))
    answers = {"a": _answers(a, rows), "b": _answers(b, rows)}
    compared = [
        {"inputs": row, "a": one, "b": other, "agree": one == other}
        for row, one, other in zip(rows, answers["a"], answers["b"], strict=True)
    ]
    agreeing = sum(1 for row in compared if row["agree"])
    return {"n_rows": len(rows), "n_agreeing": agreeing, "largest_difference": _largest(compared), "rows": compared}


def _metric(a: float | None, b: float | None) -> Json:
    return {"a": a, "b": b, "difference": None if a is None or b is None else b - a}


def _differences(a: Sequence[Json], b: Sequence[Json]) -> Json:
    old, new = ({item["name"]: item for item in items} for items in (a, b))
    return {
        "added": [new[name] for name in new if name not in old],
        "removed": [old[name] for name in old if name not in new],
        "changed": [
            {"name": name, "differences": changed}
            for name in old
            if name in new and (changed := _changed(old[name], new[name]))
        ],
    }


def _changed(old: Json, new: Json) -> Json:
    names = sorted({*old, *new})
    return {name: {"a": old.get(name), "b": new.get(name)} for name in names if old.get(name) != new.get(name)}


def _example_rows(version: ModelVersion) -> list[Json]:
    try:
        examples = Examples.from_json(version.examples, version.read_signature())
    except InvalidSignature:
        return []
    columns = examples.to_json()["inputs"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _distinct(rows: Sequence[Json]) -> Iterator[Json]:
    seen = set()
    for row in rows:
        key = json.dumps(row, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield row


def _answers(version: ModelVersion, rows: Sequence[Json]) -> list[Any]:
    """Return what the version answers to each row; to one that it does not take, why.

    Optimization: all rows go through at once, where it takes them all.
    """
    with borrowed_model(version) as loaded:
        known = {column.name for column in loaded.signature.inputs}
        fitting = [{name: value for name, value in row.items() if name in known} for row in rows]

        def asked(some: Sequence[Json]) -> list[Any]:
            parsed = parse_json(loaded.signature, json.dumps({"instances": some}).encode())
            predictions = predict(loaded, parsed.batch)
            answer = json_answer(
                loaded.signature, predictions, is_single=False, model=version.model.name, version=version.number, id=""
            )
            found: list[Any] = answer["predictions"]
            return found

        try:
            return asked(fitting) if fitting else []
        except ForetellError:
            return [_asked_alone(asked, row) for row in fitting]


def _asked_alone(asked: Any, row: Json) -> Any:
    try:
        return asked([row])[0]
    except ForetellError as err:
        return {"error": err.code, "detail": err.message}


def _largest(rows: Sequence[Json]) -> float | None:
    """Return how far two numbers are apart at most; None where the answers are no numbers."""
    pairs = [(row["a"], row["b"]) for row in rows]
    numbers = [abs(a - b) for a, b in pairs if _is_number(a) and _is_number(b)]
    return max(numbers, default=None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

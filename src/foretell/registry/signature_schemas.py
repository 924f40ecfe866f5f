"""JSON Schema from signatures: what a row is, and what an answer is."""

from typing import Any

from foretell.inference.signature import DType, Input, Output, Scalar, Signature, Task

TYPES: dict[DType, dict[str, Any]] = {
    DType.FLOAT: {"type": "number"},
    DType.INT: {"type": "integer"},
    DType.BOOL: {"type": "boolean"},
    DType.STRING: {"type": "string"},
    DType.CATEGORY: {},
    DType.DATETIME: {"type": "string", "format": "date-time"},
}

NUMBER: dict[str, Any] = {"type": ["number", "null"]}  # JSON has no infinity: what is no finite number is null
ANSWERED_BY: dict[str, Any] = {
    "model": {"type": "string"},
    "version": {"type": "integer"},
    "id": {"type": "string", "format": "uuid"},
}


def row_schema(signature: Signature) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [item.name for item in signature.inputs if not item.nullable],
        "properties": {item.name: input_schema(item) for item in signature.inputs},
    }


def values_schema(signature: Signature) -> dict[str, Any]:
    """Return what a row is as an array: its values in the signature's order."""
    values, count = [input_schema(item) for item in signature.inputs], len(signature.inputs)
    return {"type": "array", "prefixItems": values, "minItems": count, "maxItems": count}


def input_schema(item: Input) -> dict[str, Any]:
    schema = dict(TYPES[item.dtype])
    if item.dtype is DType.CATEGORY:
        schema |= {"type": _label_type(item.categories[0])}
        if item.closed:
            schema["enum"] = [*item.categories, None] if item.nullable else list(item.categories)
    if item.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    low, high = item.limits or (None, None)
    schema |= {key: bound for key, bound in (("minimum", low), ("maximum", high)) if bound is not None}
    if item.example is not None:
        schema["examples"] = [item.example]
    if description := _description(item):
        schema["description"] = description
    return schema


def answer_schema(signature: Signature) -> dict[str, Any]:
    """Return what one row is answered."""
    properties = {"prediction": _predicted(signature), **_probabilities_schema(signature), **ANSWERED_BY}
    return {"type": "object", "required": ["prediction", *ANSWERED_BY], "properties": properties}


def answers_schema(signature: Signature) -> dict[str, Any]:
    """Return what many rows are answered."""
    each = {"predictions": _predicted(signature), **_probabilities_schema(signature)}
    lists = {name: {"type": "array", "items": schema} for name, schema in each.items()}
    return {"type": "object", "required": ["predictions", *ANSWERED_BY], "properties": {**lists, **ANSWERED_BY}}


def _predicted(signature: Signature) -> dict[str, Any]:
    answers = {output.name: output_schema(output) for output in signature.outputs}
    return answers[signature.outputs[0].name] if signature.is_scalar else {"type": "object", "properties": answers}


def output_schema(output: Output) -> dict[str, Any]:
    if output.classes:
        return {"type": _label_type(output.classes[0]), "enum": list(output.classes)}
    schema: dict[str, Any] = {"type": "integer"} if output.task is Task.CLUSTERING else NUMBER
    return {**schema, "description": f"In {output.unit}."} if output.unit else schema


def _probabilities_schema(signature: Signature) -> dict[str, Any]:
    stated = [output for output in signature.outputs if output.probabilities]
    if not stated:
        return {}
    shares = {
        o.name: {
            "type": "object",
            "properties": {str(label): {**NUMBER, "minimum": 0, "maximum": 1} for label in o.classes},
        }
        for o in stated
    }
    return {
        "probabilities": shares[stated[0].name] if signature.is_scalar else {"type": "object", "properties": shares}
    }


def _description(item: Input) -> str:
    parts = [item.help, f"In {item.unit}." if item.unit else ""]
    if item.range is not None:
        parts.append(f"Seen in training: {item.range[0]:g} to {item.range[1]:g}.")
    if item.categories and not item.closed:
        parts.append("Known: " + ", ".join(str(category) for category in item.categories[:20]) + ".")
    return " ".join(part for part in parts if part)


def _label_type(label: Scalar) -> str:
    if isinstance(label, bool):
        return "boolean"
    if isinstance(label, int):
        return "integer"
    return "number" if isinstance(label, float) else "string"

"""docs/signature.md names every field, dtype, task and code that there is."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from foretell.inference.signature import DType, Input, Output, Signature, Task

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "signature.md").read_text()
CODEC = ROOT / "src" / "foretell" / "inference" / "codec"


@pytest.mark.parametrize("kind", [Input, Output])
def test_every_field_is_documented(kind: type[Input] | type[Output]) -> None:
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in TEXT] == []


def test_every_dtype_and_task_is_documented() -> None:
    assert [value for value in (*DType, *Task) if f"`{value}`" not in TEXT] == []


def test_every_code_of_a_fault_is_documented() -> None:
    sources = "\n".join(path.read_text() for path in CODEC.glob("*.py"))
    codes = set(re.findall(r'"([a-z]+_[a-z_]+|empty|required|null)",', sources)) | set(
        re.findall(r'code="(\w+)"', sources)
    )

    assert len(codes) > 20
    assert sorted(code for code in codes if f"`{code}`" not in TEXT) == []


def test_the_example_is_a_signature() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)

    assert Signature.from_json(json.loads(example)).input("age").limits == (0.0, 130.0)

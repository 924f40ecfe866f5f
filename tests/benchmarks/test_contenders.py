"""Everybody serves the same forest, and every answer is read to its end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

Program = Callable[[str], Any]


def test_both_forms_of_the_forest_have_the_trees_of_the_example(program: Program, tmp_path: Path) -> None:
    artifacts, forests = program("contenders.artifacts"), program("contenders.forests")
    artifacts.write_models(tmp_path)
    trained, sample = artifacts.iris()
    for form, n_jobs in ((forests.AS_IT_COMES, -1), (forests.TUNED, None)):
        forest = joblib.load(tmp_path / form.file)  # noqa: TID251  our own file
        assert forest.n_jobs == n_jobs
        assert (forest.predict_proba(sample.to_numpy()) == trained.predict_proba(sample)).all()


def test_every_server_of_scikit_learn_is_there_in_both_forms(program: Program) -> None:
    names = {each.name for each in program("contenders").contenders(peers=True)}
    for name in ("drf", "drf_token", "fastapi_sklearn", *program("contenders").PEERS):
        assert {name, f"{name}_tuned"} <= names


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\n"


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (HEAD, None),
        (HEAD + b"Content-Length: 5\r\n\r\nab", 3),
        (HEAD + b"Content-Length: 2\r\n\r\nab", 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", None),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 0),
    ],
)
def test_an_answer_is_whole_when_its_length_or_its_last_chunk_is_there(
    program: Program, answer: bytes, missing: int | None
) -> None:
    assert program("answers").missing(answer) == missing


def test_chunks_are_put_together(program: Program) -> None:
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n"
    assert program("answers").status_and_content(answer) == (200, b"abcde")

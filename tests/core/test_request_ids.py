import uuid

import pytest

from foretell.core.request_ids import chosen_id
from tests.http import HttpFor


def test_a_sane_id_of_the_callers_is_kept_and_given_back(http_for: HttpFor) -> None:
    answer = http_for("bob").get("/api/v1/me/", headers={"X-Request-ID": "trace-7.a:b_c"})

    assert answer.headers["X-Request-ID"] == "trace-7.a:b_c"


@pytest.mark.parametrize("offered", ["", "x" * 129, "two words", "a\tb", "é", "<script>", "a\nb", None])
def test_an_id_that_could_forge_a_line_of_the_log_is_replaced(offered: str | None) -> None:
    assert uuid.UUID(chosen_id(offered)).version == 7


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/v1/me/", "/", "/nowhere/", "/static/web/foretell.css"])
def test_every_answer_has_an_id_and_its_time(http_for: HttpFor, path: str) -> None:
    answer = http_for(None).get(path)

    assert uuid.UUID(answer.headers["X-Request-ID"]).version == 7
    assert "total;dur=" in answer.headers["Server-Timing"]


def test_an_unknown_address_has_an_id_too(http_for: HttpFor) -> None:
    assert http_for(None).get("/", headers={"Host": "nobody.example"}).headers["X-Request-ID"]


def test_two_requests_never_share_an_id(http_for: HttpFor) -> None:
    client = http_for("bob")

    assert len({client.get("/api/v1/me/").headers["X-Request-ID"] for _ in range(5)}) == 5

"""What will go says so in time, on every answer."""

from datetime import UTC, datetime

import pytest

from foretell.core.deprecation import Deprecated
from tests.http import HttpFor


def test_an_address_that_will_go_says_since_when_until_when_and_what_instead(
    http_for: HttpFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foretell.registry.views.models import ModelsView

    since, until = datetime(2026, 11, 21, tzinfo=UTC), datetime(2027, 11, 21, tzinfo=UTC)
    deprecated = Deprecated(since=since, until=until, link="https://docs.example/v2")
    monkeypatch.setattr(ModelsView, "deprecated", deprecated, raising=False)

    for person in ("bob", None):
        headers = http_for(person).get("/api/v1/models/").headers
        assert headers["Deprecation"] == "@1795219200"
        assert headers["Sunset"] == "Sun, 21 Nov 2027 00:00:00 GMT"
        assert headers["Link"] == '<https://docs.example/v2>; rel="deprecation"; type="text/html"'
    assert "Deprecation" not in http_for("bob").get("/api/v1/me/").headers

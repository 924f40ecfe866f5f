"""What is sent again, and what never is."""

from collections.abc import Callable

import httpx
import pytest

from foretell.client import Client, ConnectionFailed, ServerUnavailable, TimedOut
from tests.client.fake import ALICE, KEY, PREDICTION, FakeServer, answer, problem, version

ROW = {"a": 1}
PREDICT = "/api/v1/models/iris/predict/"
BUSY = problem(503, "unavailable", "Not now.", Retry_After="2")


def failing(error: Callable[[], httpx.TransportError], times: int, server: FakeServer) -> httpx.MockTransport:
    left = [times]

    def handle(request: httpx.Request) -> httpx.Response:
        if left[0]:
            left[0] -= 1
            server.handle(request)
            raise error()
        return server.handle(request)

    return httpx.MockTransport(handle)


def refused() -> httpx.TransportError:
    return httpx.ConnectError("Connection refused")


def cut() -> httpx.TransportError:
    return httpx.ReadError("Connection reset")


def late() -> httpx.TransportError:
    return httpx.ReadTimeout("late")


def test_a_busy_server_is_asked_again_when_it_says(server: FakeServer, client: Client, naps: list[float]) -> None:
    server.on("POST", PREDICT, BUSY, answer(200, PREDICTION))

    assert client.predict("iris", ROW).prediction == "virginica"
    assert naps == [2.0]


def test_a_server_that_stays_busy_is_told_of_after_three_attempts(
    server: FakeServer, client: Client, naps: list[float]
) -> None:
    server.on("POST", PREDICT, BUSY)

    with pytest.raises(ServerUnavailable, match="Not now") as caught:
        client.predict("iris", ROW)

    assert caught.value.retry_after_s == 2.0
    assert len(server.asked) == 3


def test_without_a_word_when_it_is_not_asked_again(server: FakeServer, client: Client, naps: list[float]) -> None:
    server.on("POST", PREDICT, problem(503, "unavailable", "Not now."))

    with pytest.raises(ServerUnavailable):
        client.predict("iris", ROW)

    assert len(server.asked) == 1


def test_a_push_is_not_repeated_when_the_server_is_busy(server: FakeServer, client: Client, naps: list[float]) -> None:
    server.on("POST", "/api/v1/models/iris/versions/", BUSY)

    with pytest.raises(ServerUnavailable):
        client.push_version("iris", [("a", b"a")])

    assert len(server.asked) == 1


def test_what_never_left_is_sent_again_a_push_too(server: FakeServer, naps: list[float]) -> None:
    server.on("POST", "/api/v1/models/iris/versions/", answer(201, version()))

    with Client("http://test", KEY, transport=failing(refused, 2, server)) as client:
        assert client.push_version("iris", [("a", b"a")]).is_new

    assert len(naps) == 2


def test_a_push_that_was_cut_off_is_not_sent_again(server: FakeServer, naps: list[float]) -> None:
    with (
        Client("http://test", KEY, transport=failing(cut, 1, server)) as client,
        pytest.raises(ConnectionFailed, match="cannot be reached"),
    ):
        client.push_version("iris", [("a", b"a")])

    assert len(server.asked) == 1


def test_reading_again_after_a_cut_is_safe(server: FakeServer, naps: list[float]) -> None:
    server.on("GET", "/api/v1/me/", answer(200, ALICE))

    with Client("http://test", KEY, transport=failing(cut, 1, server)) as client:
        assert client.me().role == "owner"


def test_a_server_that_never_answers_is_a_timeout(server: FakeServer, naps: list[float]) -> None:
    with (
        Client("http://test", KEY, transport=failing(late, 9, server)) as client,
        pytest.raises(TimedOut, match="in time"),
    ):
        client.me()


def test_an_absent_server_is_named(naps: list[float]) -> None:
    with (
        Client("http://127.0.0.1:1", KEY) as client,
        pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:1 cannot be reached"),
    ):
        client.me()

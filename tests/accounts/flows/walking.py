"""Walking through account flows: with pages, as a person does, and with the headless API, as a team's own page does."""

import re
from typing import Any

import httpx

from foretell.accounts.flows.headless.strict import CSRF_HEADER
from foretell.accounts.flows.joining import set_sign_up
from foretell.accounts.flows.models import OutgoingMail
from foretell.accounts.models import SignUp
from tests.cast import House
from tests.web.pages import send

PASSPHRASE = "a passphrase of one's own"
CODE = re.compile(r"^ {4}([A-Z-]{9})$", re.MULTILINE)


def opened(house: House) -> None:
    """Let anybody sign up."""
    with house.inside():
        set_sign_up(mode=SignUp.OPEN)


def mails(house: House) -> list[OutgoingMail]:
    with house.inside():
        return list(OutgoingMail.objects.order_by("id"))


def code_in(mail: OutgoingMail) -> str:
    found = CODE.search(mail.body)
    assert found is not None, mail.body
    return found[1]


def sign_up(client: httpx.Client, name: str = "zoe", *, email: str = "", password: str = PASSPHRASE) -> httpx.Response:
    fields = {"username": name, "email": email or f"{name}@acme.example", "password": password}
    return send(client, "/accounts/signup/", fields)


def said(answer: httpx.Response) -> dict[str, Any]:
    """Return what a program is told, without the request's id."""
    return {name: member for name, member in answer.json().items() if name != "request_id"}


class Headless:
    """allauth's headless API at a tenant's door, by one browser."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token = client.get("/api/v1/config").headers[CSRF_HEADER]

    def ask(self, method: str, address: str, **body: Any) -> httpx.Response:
        headers = {CSRF_HEADER: self._token, "Referer": str(self._client.base_url)}
        answer = self._client.request(method, f"/api/v1/{address}", json=body, headers=headers)
        self._token = answer.headers.get(CSRF_HEADER, self._token)
        return answer

    def post(self, address: str, **body: Any) -> httpx.Response:
        return self.ask("POST", address, **body)

    def get(self, address: str) -> httpx.Response:
        return self._client.get(f"/api/v1/{address}")

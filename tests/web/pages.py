"""Reading pages, and sending the forms on them."""

import html
import re

import httpx


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found is not None, "no form with a token on this page"
    return found[1]


def send(client: httpx.Client, url: str, fields: dict[str, str], *, form_at: str | None = None) -> httpx.Response:
    """Open the page with the form, fill it in and send it."""
    token = csrf_token(client.get(form_at or url).text)
    return client.post(url, data={"csrfmiddlewaretoken": token, **fields})


def sign_in(client: httpx.Client, name: str, password: str, *, base: str = "", next: str = "") -> httpx.Response:
    return send(client, f"{base}/accounts/login/", {"username": name, "password": password, "next": next})


def ask(client: httpx.Client, url: str, values: dict[str, str]) -> httpx.Response:
    """Send a model's form with these inputs."""
    return send(client, url, {f"input:{name}": value for name, value in values.items()})


def text_of(response: httpx.Response) -> str:
    """Return what a person reads on a page, in one line."""
    body = response.text.split("<main", 1)[-1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())

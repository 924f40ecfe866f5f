"""The browsable API at every address: a page, with a form for each write, for whoever may write."""

import html
import re
from collections import defaultdict
from urllib.parse import quote

import httpx
import pytest

from tests.cast import House
from tests.http import HttpFor
from tests.permission_matrix import API, MATRIX, Row
from tests.test_permissions import furnished

__all__ = ["furnished"]  # a fixture: what the rows' addresses name

HTML = {"Accept": "text/html,application/xhtml+xml"}
NO_PAGES = {"registry:schema", "registry:docs", "registry:artifact"}  # a document, Swagger's own page, a file
FORMS = {
    "POST": re.compile(r'<form[^>]* method="POST"(?![^>]*data-method)[^>]*>'),
    "PUT": re.compile(r'data-method="PUT"'),
    "PATCH": re.compile(r'data-method="PATCH"'),
    "DELETE": re.compile(r'data-method="DELETE"'),
}


def by_address() -> dict[str, list[Row]]:
    """Group the matrix's rows by their addresses; the other protocols' have no pages."""
    found = defaultdict(list)
    for row in MATRIX:
        if row.path.startswith(API) and row.route not in NO_PAGES:
            found[row.path].append(row)
    return found


def test_each_address_is_a_page_with_a_form_for_each_write(acme: House, alice: httpx.Client) -> None:
    faults = []
    for path, rows in by_address().items():
        answer = alice.get(path, headers=HTML)
        is_read = any(row.method == "GET" for row in rows)
        if not answer.headers["Content-Type"].startswith("text/html"):
            faults.append(f"{path}: no page, but {answer.headers['Content-Type']}")
            continue
        if answer.status_code >= 500 or (is_read and answer.status_code == 405):
            faults.append(f"{path}: {answer.status_code}")
        page = html.unescape(answer.text)
        faults += [
            f"{path}: no form for {row.method}"
            for row in rows
            if row.method in FORMS and not FORMS[row.method].search(page)
        ]

    assert faults == [], "\n".join(faults)


def test_nobody_is_shown_the_way_in_and_no_form(http_for: HttpFor) -> None:
    stranger = http_for(None)

    for path in by_address():
        answer = stranger.get(path, headers=HTML)

        assert answer.status_code in (401, 405), path
        assert f'href="/accounts/login/?next={quote(path)}"' in answer.text, path
        assert not any(form.search(answer.text) for form in FORMS.values()), path


@pytest.mark.parametrize("where", ["http://acme.localhost", "http://localhost/t/acme"])
def test_the_way_in_leads_back(http_for: HttpFor, where: str) -> None:
    client = http_for(None)

    page = client.get(f"{where}/api/v1/models/?search=a", headers=HTML).text
    swagger = client.get(f"{where}/api/v1/docs/", headers=HTML)

    prefix = where.removeprefix("http://acme.localhost").removeprefix("http://localhost")
    assert f'href="{prefix}/accounts/login/?next={prefix}/api/v1/models/%3Fsearch%3Da"' in page
    assert swagger.headers["Location"] == f"{prefix}/accounts/login/?next={prefix}/api/v1/docs/"


def test_a_viewer_is_shown_no_form_for_what_only_others_do(bob: httpx.Client) -> None:
    page = bob.get(f"{API}/models/sum/", headers=HTML).text

    assert not any(form.search(page) for form in FORMS.values())

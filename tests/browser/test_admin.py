"""The admin in a real browser: under the site's policy, which its console would tell of, with every page of either."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site, Window

pytestmark = pytest.mark.browser


def test_alice_looks_at_every_list_and_form_and_gives_bob_a_role(window: Window, site: Site) -> None:
    """Below a prefix, where every link has to stay."""
    page, base = window.page, site.by_prefix
    window.sign_in("/admin/", base=base)
    expect(page).to_have_url(f"{base}/admin/")
    for place in page.locator("#content-main th a").all_text_contents():
        page.goto(f"{base}/admin/")
        page.locator("#content-main").get_by_role("link", name=place, exact=True).click()
        expect(page.locator("#changelist")).to_be_visible()
        first = page.locator("#result_list tbody th a").first
        if first.count():
            first.click()
            expect(page.locator("#content form")).to_be_visible()

    page.goto(f"{base}/admin/accounts/user/?q=bob")
    page.get_by_role("link", name="bob", exact=True).click()
    page.get_by_label("Role").select_option("editor")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("changed successfully")
    page.locator("#result_list").get_by_role("link", name="bob", exact=True).click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#change-history")).to_contain_text("user.role_changed")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to acme")).to_be_visible()


def test_an_operator_comes_in_by_a_link_and_looks_at_everything(window: Window, operators: str) -> None:
    page = window.page
    page.goto(operators)
    page.get_by_role("button", name="Enter").click()

    for place in page.locator("#content-main th a").all_text_contents():
        page.locator("#content-main").get_by_role("link", name=place, exact=True).click()
        expect(page.locator("#changelist")).to_be_visible()
        page.locator("#site-name a").click()
    page.get_by_role("link", name="Health").click()

    expect(page.get_by_role("rowheader", name="waits to be drained")).to_be_visible()
    expect(page.locator("#content-main")).to_contain_text("acme")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="For operators")).to_be_visible()
    window.said = [line for line in window.said if "status of 403" not in line]  # the page that says so


@pytest.fixture(scope="module")
def operators(site: Site) -> Iterator[str]:
    """Return a link into the operators' admin, which is there for the length of this file."""
    from django.conf import settings
    from django.utils import timezone

    from foretell.admin.operators.links import link_of
    from foretell.admin.operators.sessions import make_link

    before = settings.OPERATORS_HOST, settings.PORT
    settings.OPERATORS_HOST, settings.PORT = "operators.localhost", site.port
    with ThreadPoolExecutor(1) as elsewhere:  # from this thread, where Playwright's loop runs, Django asks no database
        _, secret = elsewhere.submit(make_link, operator="olga", now=timezone.now()).result()
    yield link_of(secret)
    settings.OPERATORS_HOST, settings.PORT = before

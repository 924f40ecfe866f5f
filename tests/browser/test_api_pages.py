"""The API's own pages in a real browser, under the content security policy: Swagger offline, and the browsable API with its forms."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site, Window
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser

PASSENGER = '{"pclass": 1, "sex": "female", "age": 29, "sibsp": 0, "parch": 0, "fare": 211.3375, "embarked": "S"}'


@pytest.mark.parametrize("base", ["by_host", "by_prefix"])
def test_swagger_shows_the_models_and_asks_one(window: Window, site: Site, base: str) -> None:
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    window.sign_in("/api/v1/docs/", base=getattr(site, base))
    page = window.page

    page.locator("#operations-tag-predict").click()
    operation = page.locator("#operations-predict-predict_titanic")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("textarea.body-param__text").fill(PASSENGER)
    operation.get_by_role("button", name="Execute").click()

    expect(operation.locator(".live-responses-table tr.response .response-col_status")).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text("survived")
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {getattr(site, base).split("/")[2]}, (
        "something was fetched from elsewhere"
    )


def test_the_browsable_api_signs_in_and_its_forms_write(window: Window, site: Site) -> None:
    page = window.page
    page.goto(f"{site.by_host}/api/v1/models/")
    assert [said for said in window.said if "401" not in said] == []
    window.said.clear()  # Chromium notes that the page came with 401
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("User name or e-mail").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.by_host}/api/v1/models/")

    page.locator('textarea[name="_content"]').fill('{"name": "by-the-form"}')
    page.get_by_role("button", name="POST").click()

    expect(page.locator(".response-info")).to_contain_text("201 Created")
    expect(page.locator(".response-info")).to_contain_text("by-the-form")

"""What a person does: sign in, choose a model, fill in its form, read the answer. In a real browser, at every address."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, Window

pytestmark = pytest.mark.browser

LADY = {"age": "29", "sibsp": "0", "parch": "0", "fare": "211.3375"}
MAN = {"age": "22", "sibsp": "1", "parch": "0", "fare": "7.25"}


def fill_in_passenger(page: Page, *, pclass: str, sex: str, numbers: dict[str, str], port: str = "S") -> None:
    for group, choice in (("pclass", pclass), ("sex", sex), ("embarked", port)):
        page.get_by_role("radiogroup", name=group).get_by_label(choice, exact=True).check()
    for name, value in numbers.items():
        page.locator(f'[name="input:{name}"]').fill(value)


def predict(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()


def expect_answer(page: Page, answer: str) -> None:
    expect(page.locator("#outcome .headline")).to_have_text(answer)


@pytest.mark.parametrize("base", ["by_host", "by_prefix"])
def test_alice_signs_in_finds_titanic_and_is_answered(window: Window, site: Site, base: str) -> None:
    window.sign_in("/", base=getattr(site, base))
    page = window.page
    page.get_by_role("link", name="titanic").click()
    expect(page).to_have_url(f"{getattr(site, base)}/models/titanic/")

    fill_in_passenger(page, pclass="1", sex="female", numbers=LADY)
    predict(page)

    expect_answer(page, "survived")
    expect(page.locator(".chances .predicted")).to_contain_text("survived")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to acme")).to_be_visible()


def test_a_third_class_man_does_not_survive_and_a_fare_keeps_its_decimals(window: Window) -> None:
    window.sign_in("/models/titanic/")

    fill_in_passenger(window.page, pclass="3", sex="male", numbers=MAN)
    predict(window.page)

    expect_answer(window.page, "died")
    expect(window.page.locator('[name="input:fare"]')).to_have_value("7.25")
    window.page.get_by_text("The same from a program").click()
    expect(window.page.locator("details pre")).to_contain_text('"fare": 7.25')


def test_an_empty_age_is_accepted(window: Window) -> None:
    window.sign_in("/models/titanic/", as_="bob")

    fill_in_passenger(window.page, pclass="3", sex="male", numbers={**MAN, "age": ""})
    predict(window.page)

    expect_answer(window.page, "died")


def test_what_is_missing_is_told_beside_its_field_and_led_to(window: Window) -> None:
    page = window.page
    window.sign_in("/models/titanic/")
    page.locator('[name="input:parch"]').fill("0")

    predict(page)

    fare = page.get_by_label("fare")
    expect(fare).to_have_attribute("aria-invalid", "true")
    expect(fare).to_have_accessible_description(re.compile("This input is missing; expected a number."))
    expect(page.locator('[name="input:parch"]')).to_have_value("0")
    page.get_by_role("alert").get_by_role("link", name="fare").click()
    expect(fare).to_be_focused()


def test_iris_is_answered_from_its_example(window: Window) -> None:
    page = window.page
    window.sign_in("/models/iris/")
    page.get_by_role("link", name="Fill in an example").click()
    for name, value in (
        ("sepal length", "7.9"),
        ("sepal width", "2.9"),
        ("petal length", "6.3"),
        ("petal width", "1.8"),
    ):
        page.get_by_label(name).fill(value)

    predict(page)

    expect_answer(page, "virginica")
    expect(page.get_by_role("meter", name="virginica")).to_have_attribute("value", "1.0")


def test_all_of_it_works_without_javascript(window_without_javascript: Window) -> None:
    window = window_without_javascript
    window.sign_in("/models/titanic/")

    fill_in_passenger(window.page, pclass="1", sex="female", numbers=LADY)
    predict(window.page)

    expect_answer(window.page, "survived")


def test_all_of_it_works_by_keyboard(window: Window) -> None:
    page = window.page
    window.sign_in("/models/iris/")

    page.get_by_label("sepal length").focus()
    for value in ("5.1", "3.5", "1.4", "0.2"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect_answer(page, "setosa")


def test_what_the_policy_forbids_is_noted(window: Window) -> None:
    """The control of every other test here: an inline style would have been seen."""
    window.page.goto(f"{window.site.by_host}/accounts/login/")

    window.page.evaluate("document.body.setAttribute('style', 'color: red')")

    expect(window.page.locator("body")).not_to_have_css("color", "rgb(255, 0, 0)")
    assert "Content Security Policy" in window.said.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_its_window(
    browser: Browser, site: Site, tmp_path: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    window = Window(context.new_page(), site)
    window.sign_in("/models/titanic/?example=1")
    predict(window.page)
    for name, path in (("answer", None), ("catalogue", "/"), ("invalid", "/models/iris/")):
        if path:
            window.page.goto(site.by_host + path)
        if name == "invalid":
            predict(window.page)
        window.page.screenshot(path=tmp_path / f"{name}-{scheme}-{width}.png", full_page=True)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()

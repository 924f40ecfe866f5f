"""Alice's device, simulated by the browser itself: a passkey is added, is a second step, and signs in alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site, Window
from tests.cast import PASSWORD

DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


pytestmark = pytest.mark.browser


def test_a_passkey_is_added_asked_for_and_enough(window: Window, site: Site) -> None:
    page = window.page
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    window.sign_in("/settings/security/passkeys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("shown once")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    window.sign_in("/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Signed in as")).to_be_attached()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Signed in as")).to_be_attached()

    page.goto(f"{site.by_host}/settings/security/app/")
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    box = page.locator(".qr svg").bounding_box()
    assert box is not None
    assert box["width"] > 100
    assert window.said == []

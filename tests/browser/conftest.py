"""A real Chromium before the real application: uvicorn in a thread, on the cast's own database."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.cast import PASSWORD, House
from tests.trained import ready_example

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
TIMEOUT_MS = 10_000


@dataclass
class Site:
    """Where acme is, by host and by prefix."""

    port: int

    @property
    def by_host(self) -> str:
        return f"http://acme.localhost:{self.port}"

    @property
    def by_prefix(self) -> str:
        return f"http://localhost:{self.port}/t/acme"


@dataclass
class Window:
    """One browser window, and what its console said."""

    page: Page
    site: Site
    said: list[str] = field(default_factory=list)

    def sign_in(self, path: str, *, base: str = "", as_: str = "alice") -> None:
        """Go to a page that asks to sign in, do so, and be there."""
        self.page.goto(f"{base or self.site.by_host}{path}")
        self.page.get_by_label("User name or e-mail").fill(as_)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("FORETELL_TEST_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no Chromium here (looked for {', '.join(BROWSERS)}); tools/test-setup installs it, as root")
    return found


@pytest.fixture(scope="module")
def site(chromium: str, _houses: dict[str, House]) -> Iterator[Site]:
    """Serve acme with the examples for as long as a file of tests takes."""
    from foretell.config.asgi import application

    acme = _houses["acme"]
    for name in ("iris", "titanic"):
        ready_example(acme, name)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    _wait_for(lambda: server.started)
    yield Site(listener.getsockname()[1])
    server.should_exit = True
    thread.join(10)
    acme.reset()


@pytest.fixture(scope="module")
def browser(site: Site, chromium: str) -> Iterator[Browser]:
    # For one file of tests only: while Playwright's loop runs in this thread, Django refuses to ask the database from it.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def window(browser: Browser, site: Site) -> Iterator[Window]:
    """A fresh window; that its console stayed silent is part of every test."""
    with _opened(browser.new_context(viewport={"width": 1200, "height": 900}), site) as window:
        yield window


@pytest.fixture
def window_without_javascript(browser: Browser, site: Site) -> Iterator[Window]:
    with _opened(browser.new_context(java_script_enabled=False), site) as window:
        yield window


@contextmanager
def _opened(context: BrowserContext, site: Site) -> Iterator[Window]:
    context.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    window = Window(context.new_page(), site)
    window.page.on("console", lambda message: _note(window, message))
    window.page.on("pageerror", lambda error: window.said.append(str(error)))
    yield window
    context.close()
    assert window.said == []


def _note(window: Window, message: ConsoleMessage) -> None:
    # A 422 is how an invalid form is answered; Chromium notes every such status.
    if "status of 422" not in message.text:
        window.said.append(f"{message.type}: {message.text}")


def _wait_for(is_so: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)

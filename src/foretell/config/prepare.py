"""`python -m foretell.config.prepare HOME_URL`: bring the database to the code, and make the demo tenant on the first start.

A process of its own, that ends: the supervisor imports no Django. It prints what `foretell up` then shows, as JSON.
"""

import json
import secrets
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

from foretell import env
from foretell.embedded.home import write_private
from foretell.embedded.parts import die_with_supervisor
from foretell.errors import ForetellError

OWNER = "demo"
EMAIL = "demo@demo.example"
DOMAINS = ("localhost", "127.0.0.1", "[::1]")


def main(url: str) -> None:
    from foretell.config.migrating import NotAllMigrated, migrate
    from foretell.config.reaching import reached_database

    with reached_database():
        outcome = migrate()
        if outcome.failures:  # they answer 503; the others are served
            sys.stderr.write(f"warning: {NotAllMigrated(outcome.failures).message}\n")
        demo = ensure_demo(url) if env.boolean("FORETELL_DEMO", True) else None
    sys.stdout.write(json.dumps({"demo": demo}) + "\n")


def ensure_demo(url: str) -> dict[str, Any]:
    """Return how to get into the demo tenant; make it, or new credentials for it, where they are missing."""
    path = settings.FORETELL_HOME / "demo.json"
    demo = {**(_read(path) or _made()), "url": url}
    write_private(path, json.dumps(demo, indent=2) + "\n")
    return demo


def _read(path: Path) -> dict[str, Any] | None:
    """Return the stored way in, where it still leads somewhere."""
    from foretell.tenants.services import TenantNotFound, get_tenant

    try:
        get_tenant(settings.DEMO_TENANT)
        demo: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError, TenantNotFound):
        return None
    return demo


def _made() -> dict[str, Any]:
    from foretell.accounts import services
    from foretell.core.tenancy import use_tenant
    from foretell.tenants.services import TenantNotFound, get_tenant

    try:
        tenant = get_tenant(settings.DEMO_TENANT)
    except TenantNotFound:
        new = services.create_tenant_with_owner(name=settings.DEMO_TENANT, domains=DOMAINS, username=OWNER, email=EMAIL)
        return {"tenant": settings.DEMO_TENANT, "username": OWNER, "password": new.password, "api_key": new.api_key}
    with use_tenant(tenant):  # a start that was killed between making the tenant and writing the file
        owner, password = services.get_user(OWNER), secrets.token_urlsafe(15)
        services.change_password(user=owner, password=password)
        _, key = services.create_key(user=owner, name="demo", scopes=["admin"])
    return {"tenant": settings.DEMO_TENANT, "username": OWNER, "password": password, "api_key": key}


if __name__ == "__main__":
    try:
        die_with_supervisor()
        django.setup()
        main(sys.argv[1])
    except ForetellError as err:
        sys.exit(f"error: {err.message}")

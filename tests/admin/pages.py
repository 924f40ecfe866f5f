"""Reading pages of the admin, and all of the operators'."""

import re

import httpx

from tests.cast import House

TENANT, INSTALLATION = "/admin/tenants", "/admin/installation_audit/installationentry"


def body_of(client: httpx.Client, path: str) -> str:
    """Return a page without its one-time tokens."""
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", client.get(path).text)


def operator_pages(house: House) -> dict[str, str]:
    """Return every address of the operators' site, by its name; it makes a plan `tiny`."""
    from foretell.audit.installation.models import InstallationEntry
    from foretell.core.tenancy import use_public
    from foretell.tenants.models import Domain
    from foretell.tenants.plans import set_plan

    set_plan(name="tiny", changes={"user": "5/s"})
    with use_public():
        domain, entry = Domain.objects.order_by("pk").first(), InstallationEntry.objects.order_by("-position").first()
    assert domain is not None
    assert entry is not None
    pages = {
        "admin:index": "/admin/",
        "admin:health": "/admin/health/",
        "admin:jsi18n": "/admin/jsi18n/",
        "admin:app_list": f"{TENANT}/",
    }
    for name, path, key, verbs in (
        ("tenants_tenant", f"{TENANT}/tenant", house.tenant.pk, ("change", "history")),
        ("tenants_domain", f"{TENANT}/domain", domain.pk, ("change",)),
        ("tenants_plan", f"{TENANT}/plan", "tiny", ("add", "change", "delete", "history")),
        ("installation_audit_installationentry", INSTALLATION, entry.pk, ("change",)),
    ):
        pages[f"admin:{name}_changelist"] = f"{path}/"
        pages |= {f"admin:{name}_{verb}": f"{path}/{'' if verb == 'add' else f'{key}/'}{verb}/" for verb in verbs}
    return pages

"""Working in one tenant, from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from foretell.cli.server.installation import installation

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
TenantName = Annotated[str, typer.Option("--tenant", envvar="FORETELL_TENANT", help="The tenant's name.")]


@contextmanager
def in_tenant(name: str) -> Iterator[None]:
    with installation():
        from foretell.core.tenancy import use_tenant
        from foretell.tenants.services import get_tenant

        with use_tenant(get_tenant(name)):
            yield

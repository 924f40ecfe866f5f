"""foretell audit verify | export | prune | anchor: who changed what, and whether nobody changed that."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from foretell.cli.output import print_json, print_rows, said, say
from foretell.cli.server.installation import installation
from foretell.cli.server.tenant_states import FORMATS, AsJSON

INSTALLATION = "installation"
Chain = Annotated[
    str | None, typer.Option("--tenant", help="Whose audit; without it, the installation's: what was done to tenants.")
]


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    audit = typer.Typer(help="Who changed what, and whether nobody changed that.", no_args_is_help=True)
    for name, command in (("verify", verify), ("export", export), ("prune", prune), ("anchor", anchor)):
        audit.command(name)(command)
    app.add_typer(audit, name="audit")


def verify(
    tenant: Annotated[
        list[str] | None,
        typer.Option(help="Whose audit; may be repeated. Without it, all, and the installation's own."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Say of each chain whether it is as it was written, or else the first row that does not fit; then the exit code is 1."""
    with installation():
        from foretell.audit.anchors import read_anchors

        anchors = read_anchors()
        rows = [_verified(one, anchors) for one in _chains(tenant)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, as_json=False, columns=["chain", "state", "rows", "position", "anchored_at", "fault"])
    if broken := [row["chain"] for row in rows if row["fault"]]:
        say(f"[bold red]broken[/]: {', '.join(broken)}. Keep the database as it is, and see docs/audit.md.")
        raise typer.Exit(1)


def export(
    tenant: Chain = None,
    format: Annotated[Format, typer.Option(help="An object for each line, or a table.")] = Format.JSONL,
) -> None:
    """Write all rows to the standard output, the oldest first, with the digests that hold them together."""
    with in_chain(tenant):
        from foretell.audit import chains
        from foretell.audit.exporting import audit_table
        from foretell.core.exports import csv_chunks, json_lines_chunks

        table = audit_table(chains.entries())
        for chunk in (csv_chunks if format is Format.CSV else json_lines_chunks)(table):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def prune(
    before: Annotated[datetime, typer.Option(help="Delete what is older, in UTC.", formats=FORMATS)],
    tenant: Chain = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Delete old rows, for good; that it was done, and by whom, is itself recorded, and what stays can still be verified."""
    limit = before.replace(tzinfo=UTC)
    name = tenant or INSTALLATION
    if not yes:
        typer.confirm(
            f"All rows of {name} from before {limit:%Y-%m-%d %H:%M} UTC will be gone. Go on?", abort=True, err=True
        )
    with in_chain(tenant):
        from foretell.audit.retention import prune as prune_chain

        pruned = prune_chain(before=limit)
    said(
        f"[green]pruned[/] {pruned.rows} rows of {name}; the chain begins behind row {pruned.position}.",
        {"chain": name, "rows": pruned.rows, "position": pruned.position} if as_json else None,
    )


def anchor(tenant: Chain = None, as_json: AsJSON = False) -> None:
    """Take the chain as it is now for whole, and keep where it ends outside the database: after a backup was brought back."""
    name = tenant or INSTALLATION
    with in_chain(tenant):
        from django.utils import timezone

        from foretell.audit.anchors import accept_chain, anchors_path

        kept, path = accept_chain(now=timezone.now()), anchors_path()
    result = {"chain": name, "position": kept.position, "digest": kept.digest, "at": kept.at}
    said(f"[green]kept[/] in {path}: {name} ends with row {kept.position}, {kept.digest}.", result if as_json else None)


@contextmanager
def in_chain(tenant: str | None) -> Iterator[None]:
    """Work in a tenant's schema, or in the public one."""
    with installation():
        from foretell.core.tenancy import use_public, use_tenant
        from foretell.tenants.services import get_tenant

        with use_tenant(get_tenant(tenant)) if tenant else use_public():
            yield


def _chains(names: list[str] | None) -> list[tuple[str, Any]]:
    from foretell.core.tenancy import PUBLIC
    from foretell.tenants.services import get_tenant, list_tenants

    if names:
        return [(name, get_tenant(name)) for name in names]
    return [(INSTALLATION, PUBLIC), *((tenant.name, tenant) for tenant in list_tenants())]


def _verified(chain: tuple[str, Any], anchors: Any) -> dict[str, Any]:
    from foretell.audit.verifying import verify_chain
    from foretell.core.tenancy import use_tenant

    name, tenant = chain
    with use_tenant(tenant):
        found = verify_chain(anchor=anchors.get(tenant.schema_name))
    return {
        "chain": name, "state": "broken" if found.fault else "whole", "rows": found.rows, "position": found.position,
        "digest": found.digest, "sealed_elsewhere": found.sealed_elsewhere, "anchored_at": found.anchored_at or None,
        "fault": str(found.fault) if found.fault else None,
    }  # fmt: skip

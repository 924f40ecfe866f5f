"""foretell tenant export | import."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from foretell.cli.output import said
from foretell.cli.server.installation import installation
from foretell.cli.server.tenant_states import AsJSON, Name

STDIO = Path("-")


def add_commands(tenant: typer.Typer) -> None:
    tenant.command("export")(export)
    tenant.command("import")(import_)


def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Where to write it, such as acme.tar.gz; - is the standard output.")],
    log: Annotated[bool, typer.Option("--log/--without-log", help="With the predictions, or without.")] = True,
    as_json: AsJSON = False,
) -> None:
    """Write everything a tenant owns to one archive: rows, artifacts, and a manifest with checksums. It holds hashed passwords: keep it well."""
    with installation():
        from django.utils import timezone

        from foretell.tenants.archives.writing import export_tenant
        from foretell.tenants.services import get_tenant

        tenant = get_tenant(name)
        is_compressed = file.suffix != ".tar"
        if file == STDIO:
            manifest = export_tenant(
                tenant=tenant, file=sys.stdout.buffer, now=timezone.now(), with_log=log, is_compressed=is_compressed
            )
        else:
            manifest = _written(file, tenant, log=log, is_compressed=is_compressed)
    n_bytes = sum(listed.bytes for listed in manifest.files.values())
    result = {"name": name, "file": str(file), "files": len(manifest.files), "bytes": n_bytes, "log": log}
    said(
        f"[green]exported[/] {name}: {len(manifest.files)} files, {n_bytes:,} bytes.",
        result if as_json and file != STDIO else None,
    )


def import_(
    file: Annotated[Path, typer.Argument(help="The archive; - is the standard input.")],
    name: Annotated[str | None, typer.Option(help="Another name than the one it had.")] = None,
    domain: Annotated[
        list[str] | None, typer.Option(help="In place of its further host names; may be repeated.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Read a tenant of another installation in, from its archive; all of it or nothing."""
    with installation():
        from django.utils import timezone

        from foretell.config.importing import import_tenant

        if file == STDIO:
            imported = import_tenant(file=sys.stdin.buffer, now=timezone.now(), name=name, domains=domain)
        else:
            with file.open("rb") as opened:
                imported = import_tenant(file=opened, now=timezone.now(), name=name, domains=domain)
    arrived = imported.arrived
    words = f"[green]imported[/] {arrived.tenant.name}: {arrived.n_rows:,} rows, {arrived.n_artifacts} artifacts."
    if not arrived.is_same_secret:
        words += (
            f" It comes from an installation with another SECRET_KEY: {imported.keys_ended} API keys were ended, issue new ones with "
            f"`foretell key create`; {imported.builds} versions are built again. Passwords stay; sessions and tokens ended."
        )
    said(words, _result(imported) if as_json else None)


def _written(file: Path, tenant: Any, *, log: bool, is_compressed: bool) -> Any:
    """Write the archive so that there is none under its name before it is whole; nobody else may read it."""
    from django.utils import timezone

    from foretell.tenants.archives.writing import export_tenant

    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            manifest = export_tenant(
                tenant=tenant, file=opened, now=timezone.now(), with_log=log, is_compressed=is_compressed
            )
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _result(imported: Any) -> dict[str, Any]:
    arrived = imported.arrived
    return {
        "name": arrived.tenant.name, "id": str(arrived.tenant.pk), "rows": arrived.n_rows, "artifacts": arrived.n_artifacts,
        "same_secret_key": arrived.is_same_secret, "keys_ended": imported.keys_ended, "builds": imported.builds,
    }  # fmt: skip

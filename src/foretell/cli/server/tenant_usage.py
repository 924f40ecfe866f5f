"""foretell tenant usage."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from foretell.cli.output import print_json, print_rows
from foretell.cli.server.installation import installation
from foretell.cli.server.tenant_states import FORMATS, Name
from foretell.errors import ForetellError

GROUPS = ("month", "day", "hour", "model", "version", "user", "key")


class UnknownGroup(ForetellError):
    code = "unknown_group"
    kind = "invalid"


def add_commands(tenant: typer.Typer) -> None:
    tenant.command("usage")(usage)


def usage(
    name: Name,
    by: Annotated[str, typer.Option(help=f"What to tell apart: {', '.join(GROUPS)}; with commas.")] = "model",
    begin: Annotated[
        datetime | None, typer.Option("--from", help="From then on, UTC; the month's first day.", formats=FORMATS)
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Until then, UTC; now.", formats=FORMATS)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what a tenant used: requests, rows, seconds, of which the processor's, and bytes; hour by hour added up."""
    groups = [group.strip() for group in by.split(",") if group.strip()]
    if unknown := [group for group in groups if group not in GROUPS]:
        raise UnknownGroup(f"Usage is not told apart by {', '.join(unknown)}. Expected some of {', '.join(GROUPS)}.")
    with installation():
        from django.utils import timezone

        from foretell.core.tenancy import use_tenant
        from foretell.monitoring.usage import Period, grouped, month_so_far, told, total, used
        from foretell.tenants.services import get_tenant

        month = month_so_far(timezone.now())
        period = Period(_utc(begin) or month.begin, _utc(end) or month.end)
        with use_tenant(get_tenant(name)):
            found = used(period)
            rows, sums = told(grouped(found, groups), groups), total(found)
    if as_json:
        print_json({"name": name, "from": period.begin, "to": period.end, "by": groups, "results": rows, "total": sums})
        return
    print_rows(rows, as_json=False, columns=[*groups, "requests", "rows", "duration_s", "cpu_s", "bytes"])


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)

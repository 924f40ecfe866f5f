"""foretell tenant suspend | resume | delete."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from foretell.cli.output import said, say
from foretell.cli.server.installation import installation

AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="The tenant's name, such as acme.")]
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


def add_commands(tenant: typer.Typer) -> None:
    for name, command in (("suspend", suspend), ("resume", resume), ("delete", delete)):
        tenant.command(name)(command)


def suspend(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why, for operators.")] = "",
    until: Annotated[datetime | None, typer.Option(help="When it is served again, in UTC.", formats=FORMATS)] = None,
    as_json: AsJSON = False,
) -> None:
    """Answer 403 to all of a tenant's requests; nothing of it is lost."""
    ends = until.replace(tzinfo=UTC) if until else None
    with installation():
        from django.utils import timezone

        from foretell.tenants.services import get_tenant, suspend_tenant

        suspend_tenant(tenant=get_tenant(name), now=timezone.now(), reason=reason, until=ends)
    when = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else f"`foretell tenant resume {name}` brings it back"
    result = {**_state(name, "suspended"), "reason": reason or None, "until": ends}
    said(f"[green]suspended[/] {name}; {when}.", result if as_json else None)


def resume(name: Name, as_json: AsJSON = False) -> None:
    """Serve a tenant again that is suspended, or that is to be deleted and is there yet."""
    with installation():
        from foretell.tenants.services import get_tenant, resume_tenant

        resume_tenant(tenant=get_tenant(name))
    said(f"[green]resumed[/] {name}.", _state(name, "active") if as_json else None)


def delete(
    name: Name,
    now: Annotated[bool, typer.Option("--now", help="Delete it at once, without a time of grace.")] = False,
    grace_days: Annotated[int, typer.Option(help="For how many days it can be had back.", min=0, max=365)] = 7,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Suspend a tenant, and delete it with everything it owns after a time of grace; with --now, at once and for good."""
    with installation():
        from foretell.tenants.services import get_tenant

        tenant = get_tenant(name)
        if not yes and not _is_meant(name, now=now):
            say("That is not its name; nothing was deleted.")
            raise typer.Exit(1)
        if now:
            _delete_now(tenant)
            words, result = f"[green]deleted[/] {name}.", _state(name, "deleted")
        else:
            after = _schedule(tenant, timedelta(days=grace_days))
            words = f"[green]suspended[/] {name}; it is deleted after {after:%Y-%m-%d %H:%M} UTC. Until then `foretell tenant resume {name}` has it back."
            result = {**_state(name, "deleting"), "delete_after": after}
    said(words, result if as_json else None)


def _is_meant(name: str, *, now: bool) -> bool:
    when = "will be gone for good" if now else "will be gone when the time of grace is over"
    question = f"All people, keys, models and files of {name} {when}. Type its name to go on"
    return str(typer.prompt(question, err=True)) == name


def _schedule(tenant: Any, grace: timedelta) -> datetime:
    from django.utils import timezone

    from foretell.tenants.deleting import schedule_deletion

    return schedule_deletion(tenant=tenant, now=timezone.now(), grace=grace)


def _delete_now(tenant: Any) -> None:
    """Suspend first, so that whoever is being served does not write behind the deletion."""
    from foretell.config.deleting import delete_everywhere

    _schedule(tenant, timedelta(0))
    delete_everywhere(tenant=tenant)


def _state(name: str, state: str) -> dict[str, Any]:
    return {"name": name, "state": state}

"""foretell login: remember a server and a key, once it is sure that they work."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from foretell import env
from foretell.cli.connecting import AsJSON
from foretell.cli.output import print_json, say

Url = Annotated[
    str | None, typer.Option(envvar="FORETELL_URL", help="Where the server is, such as https://models.example.com.")
]
Tenant = Annotated[
    str | None, typer.Option(envvar="FORETELL_TENANT", help="The tenant, where the host name does not say it.")
]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="FORETELL_API_KEY", help="The API key; without it, it is asked for and not shown."),
]


def register(app: typer.Typer) -> None:
    app.command("login", rich_help_panel="Models")(login)


def login(url: Url = None, tenant: Tenant = None, key: Key = None, as_json: AsJSON = False) -> None:
    """Store a server and a key in ~/.config/foretell/config.toml.

    Without any option, on the machine of `foretell up`, it takes the demo's.
    """
    from foretell.client import Client, config_path, resolve, store

    demo = read_demo(env.home() / "demo.json") if url is None and key is None else {}
    url, tenant, key = url or demo.get("url"), tenant or demo.get("tenant"), key or demo.get("api_key")
    key = key or typer.prompt("API key", hide_input=True, err=True)
    settings = resolve(url, key, tenant or "")
    with Client(settings.url, settings.api_key, settings.tenant) as client:
        person = client.me()
    store(settings, config_path())
    say(
        f"[green]logged in[/] to {escape(settings.root)} as {escape(person.username)}, {escape(person.role)} of {escape(person.tenant)}."
    )
    if as_json:
        print_json({"url": settings.url, "tenant": person.tenant, "username": person.username, "role": person.role})


def read_demo(path: Path) -> Mapping[str, Any]:
    """Return what `foretell up` left for scripts on this machine; nothing where it did not, or for other eyes."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}

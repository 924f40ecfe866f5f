"""A Django that is set up, with its database running: what administering commands work in."""

import getpass
import importlib.util
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from foretell.errors import ForetellError


class ServerNotInstalled(ForetellError):
    code = "server_not_installed"

    def __init__(self) -> None:
        super().__init__("This command runs a server, which is not installed here: pip install 'foretell[server]'.")


class NotMigrated(ForetellError):
    code = "not_migrated"

    def __init__(self) -> None:
        super().__init__("The database is not set up, or is behind this version of Foretell. Run `foretell migrate`.")


def require_server() -> None:
    if importlib.util.find_spec("django") is None or importlib.util.find_spec("psycopg") is None:
        raise ServerNotInstalled


def set_up_django() -> None:
    require_server()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "foretell.config.settings")
    import django

    django.setup()


@contextmanager
def installation(*, migrated: bool = True, or_snapshot: bool = False) -> Iterator[None]:
    """Work on the installation of this environment: its database is started for the length of the block where it is not running.

    With `or_snapshot` a database that is away may stay so, where predictions can be served from a snapshot of what it had.
    """
    require_server()
    from foretell.embedded.database import running_database
    from foretell.embedded.ending import end_in_order

    end_in_order()
    with running_database():
        set_up_django()
        from foretell.audit.actors import acting_command
        from foretell.config.reaching import reached_database

        with reached_database():
            if migrated:
                _require_migrated(or_snapshot=or_snapshot)
            with acting_command(_operator(), host=socket.gethostname()):
                yield


def _operator() -> str:
    """Return who typed the command: the operating system's word for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number only
        return f"uid {os.getuid()}"


def _require_migrated(*, or_snapshot: bool) -> None:
    from django.db import OperationalError

    from foretell.config.migrating import is_behind
    from foretell.gateway.lane import has_snapshot

    try:
        is_unusable = is_behind()
    except OperationalError:
        if or_snapshot and has_snapshot():
            return
        raise
    if is_unusable:
        raise NotMigrated

"""The queue's way to the database: its tables are in public, and a tenant's role has nothing to do there.

Jobs are deferred in a tenant's transaction, and are part of it; the statements that do it go by the connecting user.
"""

from typing import Any

from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector

from foretell.core.tenancy import use_public


class QueueConnector(DjangoConnector):
    """Django's connection, in the public schema for as long as the queue uses it."""

    def execute_query(self, query: Any, **arguments: Any) -> None:
        with use_public():
            super().execute_query(query, **arguments)

    def execute_query_one(self, query: Any, **arguments: Any) -> dict[str, Any]:
        with use_public():
            return super().execute_query_one(query, **arguments)

    def execute_query_all(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        with use_public():
            return super().execute_query_all(query, **arguments)


def connect_queue(app: App) -> None:
    """Give the application its connector; procrastinate calls it, by the settings' name of it, when Django is set up."""
    app.connector = app.job_manager.connector = QueueConnector(alias="default")

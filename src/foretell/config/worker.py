"""The worker: takes jobs from the queue, and drains the prediction log, until it is told to stop."""

from django.conf import settings
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from foretell.config.metrics import of_worker
from foretell.core.tenancy import use_public
from foretell.errors import ForetellError
from foretell.monitoring.draining_thread import draining

POLL_S = 5.0  # behind LISTEN/NOTIFY, which wakes the worker at once
DRAIN_S = 25.0  # longest that a build may go on after SIGTERM; another worker resumes what is cut off. `foretell up` waits 30 s


class WrongConnector(ForetellError):
    code = "wrong_connector"


def run_worker() -> None:
    """Run jobs until SIGTERM or SIGINT; those under way are finished first."""
    connector = app.connector
    if not isinstance(connector, DjangoConnector):
        raise WrongConnector(
            "The queue is not connected through Django's database; is the worker started twice in one process?"
        )
    with (
        of_worker().running(),
        draining(),
        use_public(),
        app.replace_connector(connector.get_worker_connector()) as worker_app,
    ):
        worker_app.run_worker(
            name="foretell",
            concurrency=settings.WORKER_CONCURRENCY,
            listen_notify=True,
            fetch_job_polling_interval=POLL_S,
            delete_jobs="successful",
            shutdown_graceful_timeout=DRAIN_S,
        )

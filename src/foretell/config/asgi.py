"""The composition root: what a request passes before Django, put together once per process.

`application` is the lane in front of `without_lane`, which is all that Django answers; either answers a prediction alike.
"""

import asyncio
import os
import re
from collections.abc import Callable

from django.conf import settings

from foretell.core.asgi_handler import django_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "foretell.config.settings")
_django = django_application()

from foretell.asgi import ASGIApp  # noqa: E402
from foretell.config import metrics, readiness  # noqa: E402  needs the applications that Django has just loaded
from foretell.core.asgi import BodyLimit  # noqa: E402
from foretell.core.body_gate import BodyGate, MaySendBody, anyone  # noqa: E402
from foretell.core.health import Health  # noqa: E402
from foretell.core.in_flight import InFlightLimit  # noqa: E402
from foretell.core.metrics import MetricsRoute  # noqa: E402
from foretell.core.request_counts import RequestCounts  # noqa: E402
from foretell.core.request_ids import RequestIDs  # noqa: E402
from foretell.gateway.lane import WhenKnown, gateway  # noqa: E402
from foretell.serving.composing import compose_services, faces  # noqa: E402
from foretell.serving.exchange import Terms  # noqa: E402
from foretell.serving.lane import Lane  # noqa: E402
from foretell.serving.measuring import Measures  # noqa: E402
from foretell.serving.scheduling import Scheduler  # noqa: E402
from foretell.serving.uploaders import Uploaders  # noqa: E402
from foretell.serving.websocket import WebSockets  # noqa: E402
from foretell.webserver.eager import InATask  # noqa: E402
from foretell.webserver.lifespan import Hook, Lifespan  # noqa: E402

PREDICTS = re.compile(r"/predict/?\Z|\A(/t/[^/]+)?/models/")
PUSHES = re.compile(r"/versions/?\Z")
DJANGO_AT_ONCE = 100  # a thread each, and a few connections to the database for all of them


def max_bytes_for(method: str, path: str) -> int:
    """Return the largest body that an address takes."""
    if is_push(method, path):
        return int(settings.MAX_UPLOAD_BYTES)
    if method == "POST" and PREDICTS.search(path):
        return int(settings.MAX_PREDICT_BYTES)
    return int(settings.MAX_BODY_BYTES)


def lifespan_hook(run: Callable[[], None]) -> Hook:
    async def hook() -> None:
        await asyncio.to_thread(run)

    return hook


def is_push(method: str, path: str) -> bool:
    return method == "POST" and PUSHES.search(path) is not None


def compose(django: ASGIApp, *, may_send_body: MaySendBody = anyone) -> ASGIApp:
    """Put before Django what every request passes that the lane does not answer."""
    bounded = InFlightLimit(django, at_most=DJANGO_AT_ONCE)
    gated = BodyGate(bounded, covers=is_push, may_send_body=may_send_body)
    limited = BodyLimit(gated, max_bytes_for=max_bytes_for)
    healthy = Health(limited, required=readiness.REQUIRED, advisory=readiness.ADVISORY)
    measured = MetricsRoute(healthy, exposition=shown, token=settings.METRICS_TOKEN)
    return RequestCounts(RequestIDs(measured), requests=counted.http_requests)


def shown(accept: str) -> tuple[bytes, str]:
    return counted.exposition(accept=accept)


terms = Terms(
    max_body_bytes=settings.MAX_PREDICT_BYTES,
    trusted_proxies=settings.TRUSTED_PROXIES,
    operators_host=settings.OPERATORS_HOST,
)
scheduler = Scheduler()
counted = metrics.of_web(gateway(), scheduler)
measures = Measures(counted.predictions, counted.http_requests)
services = compose_services(gateway().ports(), scheduler=scheduler, measures=measures)
without_lane = InATask(compose(_django, may_send_body=Uploaders(services.door, terms=terms).may_send_body))
lane = Lane(
    without_lane, faces=faces(services), websockets=WebSockets(services, terms=terms), terms=terms, measures=measures
)
application = Lifespan(
    WhenKnown(lane, without_lane, gateway()),
    startup=[gateway().start, lifespan_hook(counted.start)],
    shutdown=[gateway().stop, lifespan_hook(counted.stop)],
    is_eager=True,
)

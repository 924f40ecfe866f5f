"""Puts a lane together from its ports."""

from dataclasses import dataclass

from foretell.asgi import ASGIApp
from foretell.limits import Limiter
from foretell.serving.door import Door
from foretell.serving.exchange import Terms
from foretell.serving.faces import Face
from foretell.serving.kserve import KServeFace
from foretell.serving.lane import Lane
from foretell.serving.measuring import Measures
from foretell.serving.mlflow.face import MlflowFace
from foretell.serving.oip.face import OipFace
from foretell.serving.ports import Catalogue, Credentials, Limits, Log, Models
from foretell.serving.predicting import Predictor
from foretell.serving.rest import RestFace
from foretell.serving.scheduling import Scheduler
from foretell.serving.services import LaneServices
from foretell.serving.websocket import WebSockets


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All that a lane needs of the world outside."""

    catalogue: Catalogue
    credentials: Credentials
    models: Models
    limiter: Limiter
    limits: Limits
    log: Log


def compose_lane(
    app: ASGIApp, ports: Ports, *, terms: Terms, scheduler: Scheduler | None = None, measures: Measures | None = None
) -> Lane:
    """Return the lane in front of `app`, with every protocol that Foretell speaks."""
    services = compose_services(ports, scheduler=scheduler, measures=measures)
    streams = WebSockets(services, terms=terms)
    return Lane(app, faces=faces(services), websockets=streams, terms=terms, measures=services.measures)


def compose_services(
    ports: Ports, *, scheduler: Scheduler | None = None, measures: Measures | None = None
) -> LaneServices:
    door = Door(catalogue=ports.catalogue, credentials=ports.credentials, limiter=ports.limiter, limits=ports.limits)
    predictor = Predictor(models=ports.models, limits=ports.limits, log=ports.log, scheduler=scheduler or Scheduler())
    return LaneServices(door=door, predictor=predictor, models=ports.models, measures=measures)


def faces(services: LaneServices) -> tuple[Face, ...]:
    return (RestFace(services), OipFace(services), KServeFace(services), MlflowFace(services))

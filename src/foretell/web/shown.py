"""What the page of a model shows beside its form, as plain values: no query hides in a template."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from foretell.inference.signature import Output, Task
from foretell.naming import CHAMPION
from foretell.registry.models import ModelVersion, RegisteredModel
from foretell.web.fields import text_of
from foretell.web.states import state_text, tone_of
from foretell.web.targets import Target

MAX_VERSIONS = 20
MAX_CLASSES = 10


@dataclass(frozen=True, slots=True)
class ShownTarget:
    version: int
    task: str
    aliases: tuple[str, ...]
    outputs: tuple["OutputNote", ...]


@dataclass(frozen=True, slots=True)
class OutputNote:
    """An output before there is an answer: what it will say."""

    name: str
    summary: str
    help: str


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A line of the list of versions; only one that is ready has an address to try it at."""

    number: int
    url: str
    aliases: tuple[str, ...]
    state: str
    tone: str
    reason: str


def model_facts(model: RegisteredModel) -> dict[str, str]:
    return {"name": model.name, "description": model.description}


def shown_target(model: RegisteredModel, target: Target) -> ShownTarget:
    aliases = model.aliases.filter(version__number=target.number).values_list("name", flat=True)
    notes = tuple(OutputNote(output.name, summary_of(output), output.help) for output in target.signature.outputs)
    return ShownTarget(version=target.number, task=target.signature.task, aliases=tuple(aliases), outputs=notes)


def summary_of(output: Output) -> str:
    """Say in a few words what an output answers."""
    if output.classes:
        names = ", ".join(text_of(label) for label in output.classes[:MAX_CLASSES])
        return names + (", …" if len(output.classes) > MAX_CLASSES else "")
    if output.task is Task.CLUSTERING:
        return _("the number of a cluster")
    return _("a number, in %(unit)s") % {"unit": output.unit} if output.unit else _("a number")


def shown_versions(request: HttpRequest, model: RegisteredModel) -> list[ShownVersion]:
    """Return the latest versions, the newest first, in two queries."""
    rows = model.versions.only("number", "state", "reason", "model_id").prefetch_related("aliases")
    return [_line(request, version) for version in rows[:MAX_VERSIONS]]


def _line(request: HttpRequest, version: ModelVersion) -> ShownVersion:
    return ShownVersion(
        number=version.number,
        url=f"{request.path}?{urlencode({'version': version.number})}" if version.is_ready else "",
        aliases=tuple(alias.name for alias in version.aliases.all()),
        state=state_text(version.state),
        tone=tone_of(version.state),
        reason=version.reason,
    )


def unavailable_text(versions: list[ShownVersion]) -> str:
    """Say why there is nothing to try, and what comes next."""
    if not versions:
        return _("No version has been pushed yet.")
    if any(version.tone == "warn" for version in versions):
        return _("The first version is being built. Reload this page in a moment.")
    return _("No version could be built. What was in the way stands below; put it right and push again.")


def form_address(request: HttpRequest, **more: int) -> str:
    """Return the address of this form, of the version or alias that was asked for."""
    query: dict[str, str | int] = {name: request.GET[name] for name in ("version", "alias") if name in request.GET}
    text = urlencode({**query, **more})
    return f"{request.path}?{text}" if text else request.path


def has_example(target: Target) -> bool:
    return any(source.example is not None for source in target.signature.inputs)


def predict_address(request: HttpRequest, target: Target) -> str:
    """Return where a program asks the same of the same: under the alias, where the form was for one."""
    if target.alias is None:
        path = reverse("registry:predict-version", args=[target.model, target.number])
    elif target.alias == CHAMPION:
        path = reverse("registry:predict", args=[target.model])
    else:
        path = reverse("registry:predict-alias", args=[target.model, target.alias])
    return request.build_absolute_uri(path)

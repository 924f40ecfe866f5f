"""Which version of a model a page is about: the champion, or the one that the address names."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404

from foretell.inference.signature import Signature
from foretell.naming import CHAMPION
from foretell.registry.models import Alias, RegisteredModel

MAX_NUMBER = 2**31 - 1  # what a column of version numbers holds


@dataclass(frozen=True, slots=True)
class Target:
    """A version to try, and how it was named: by an alias, which may move, or by its number, which never does."""

    model: str
    signature: Signature
    number: int
    alias: str | None = None

    @property
    def version(self) -> int | None:
        return None if self.alias else self.number


def target_of(model: RegisteredModel, query: Mapping[str, str]) -> Target | None:
    """Return what `?version=` or `?alias=` names, else the champion, else the latest that is ready; None: there is none.

    Raises
    ------
    Http404
        when a version or an alias is named that is not there, or cannot be tried.
    """
    if "version" in query:
        return _numbered(model, query["version"])
    if "alias" in query:
        return _aliased(model, query["alias"])
    shown = model.shown_version()
    if shown is None:
        return None
    is_champion = Alias.objects.filter(version=shown, name=CHAMPION).exists()
    return Target(model.name, shown.read_signature(), shown.number, CHAMPION if is_champion else None)


def _numbered(model: RegisteredModel, text: str) -> Target:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
    version = model.versions.ready().filter(number=min(number, MAX_NUMBER)).first()
    if version is None:
        raise Http404
    return Target(model.name, version.read_signature(), version.number)


def _aliased(model: RegisteredModel, name: str) -> Target:
    alias = model.aliases.filter(name=name.replace("\0", "")).select_related("version").first()
    if alias is None or not alias.version.is_ready:
        raise Http404
    return Target(model.name, alias.version.read_signature(), alias.version.number, alias.name)

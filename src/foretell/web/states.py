"""How the state of a version is said and coloured."""

from django.utils.translation import gettext_lazy as _

from foretell.registry.models import State

_TEXTS = {
    State.QUARANTINED: _("uploaded"),
    State.BUILDING: _("being built"),
    State.READY: _("ready"),
    State.FAILED: _("failed"),
}
_TONES = {State.QUARANTINED: "warn", State.BUILDING: "warn", State.READY: "good", State.FAILED: "bad"}


def state_text(state: str) -> str:
    return str(_TEXTS.get(State(state), state)) if state else ""


def tone_of(state: str) -> str:
    return _TONES[State(state)] if state else ""

"""How much of a model's predictions its log keeps: who may say so, and what makes sense."""

from collections.abc import Sequence
from typing import Any

from foretell.accounts.permissions import Action, Principal, is_allowed
from foretell.errors import ForetellError
from foretell.problems import Fault
from foretell.refusals import NotAllowed
from foretell.registry.models import LogPayload, RegisteredModel


class InvalidLogPolicy(ForetellError):
    code = "invalid"

    def __init__(self, attr: str, detail: str) -> None:
        super().__init__(f"{attr}: {detail}")
        self.faults = [Fault(attr=attr, code="invalid", detail=detail)]


def log_changes(
    *, model: RegisteredModel, principal: Principal, log_payload: str | None, redacted_inputs: Sequence[str] | None
) -> dict[str, Any]:
    """Return the fields to change so that the model's log keeps what is asked for.

    Raises
    ------
    NotAllowed, InvalidLogPolicy
    """
    if log_payload is None and redacted_inputs is None:
        return {}
    if not is_allowed(principal, Action.PROMOTE, model=model.name):
        raise NotAllowed("Your role may describe models, but not change what their log keeps. Ask an admin.")
    policy = log_payload or model.log_payload
    names = model.redacted_inputs if redacted_inputs is None else list(dict.fromkeys(redacted_inputs))
    if policy != LogPayload.REDACTED:
        if redacted_inputs:
            raise InvalidLogPolicy("redacted_inputs", f'They are for log_payload "redacted"; it is {policy!r}.')
        return {"log_payload": policy, "redacted_inputs": []}
    _check_names(model, names)
    return {"log_payload": policy, "redacted_inputs": names}


def _check_names(model: RegisteredModel, names: Sequence[str]) -> None:
    """Security: a name that is misspelt would redact nothing, and nobody would notice."""
    if not names:
        raise InvalidLogPolicy("redacted_inputs", 'log_payload "redacted" needs the names of the inputs to leave out.')
    shown = model.shown_version()
    known = [column.name for column in shown.read_signature().inputs] if shown else list(names)
    for name in names:
        if name not in known:
            expected = ", ".join(known[:20])
            raise InvalidLogPolicy(
                "redacted_inputs", f"The model has no input {name!r:.80}. Expected names of {expected}."
            )

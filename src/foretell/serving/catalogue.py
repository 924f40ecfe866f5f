"""What the lane knows of the world: tenants, who may predict with what, and which version an alias points at.

Entries are made by whoever implements `ports.Catalogue`, and never changed: a change is a new `Tenant` in the old one's place,
which takes with it all that was derived from the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from foretell.limits import Claim, policy_header


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, narrowed by the key that was used; what they may do was decided where it is decided for all faces.

    models : names of the models that are there for them; None: all.
    not_predicting : names of those of them that they see, and may not predict with.
    claims : what each prediction takes from: the limits of key, user and tenant.
    """

    user_id: str
    username: str
    key_id: str | None = None
    may_predict: bool = False
    may_read: bool = False
    models: frozenset[str] | None = None
    not_predicting: frozenset[str] = frozenset()
    claims: tuple[Claim, ...] = ()
    policies: bytes = field(init=False, repr=False, compare=False)  # what answers say of the claims

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", policy_header(self.claims))

    def may_predict_with(self, model: str) -> bool:
        return self.may_predict and model not in self.not_predicting


@dataclass(frozen=True, slots=True)
class Key:
    """An API key that is not revoked, of somebody active.

    digest : HMAC of its secret, in hexadecimal (`foretell.keys.digest`).
    expires_at : seconds since 1970; None: never.
    """

    digest: str
    principal: Principal
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, as little of it as an idle one needs; the rest is read when it is loaded."""

    pk: int
    number: int
    is_ready: bool
    seal: str = ""
    size_bytes: int = 0
    runtime: str = "onnx"
    state: str = "ready"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model in use, with what its predictions are logged as.

    limit_scope : the named limit that its predictions take from beside their caller's own; "" for none.
    log_payload : ``full``, ``none``, or ``redacted``: without the values of `redacted_inputs`.
    """

    name: str
    versions: Mapping[int, Version]
    aliases: Mapping[str, int] = field(default_factory=dict)
    limit_scope: str = ""
    log_payload: str = "full"
    redacted_inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Tenant:
    """A tenant, whole.

    people : by user id; for Basic with a password, sessions and tokens.
    log_is_required : refuse a prediction that cannot be logged; else it is answered, and the gap is counted.
    requests_per_month, rows_per_month : quotas; None: no end.
    origins : the sites whose pages may read what is answered, as browsers write them; "*": any.
    verified : credentials that were found right, as they came; they are forgotten with this entry, at the next change.
    """

    id: str
    name: str
    schema_name: str
    is_suspended: bool = False
    keys: Mapping[str, Key] = field(default_factory=dict)
    people: Mapping[str, Principal] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    log_is_required: bool = True
    requests_per_month: int | None = None
    rows_per_month: int | None = None
    origins: frozenset[str] = frozenset()
    verified: dict[bytes, "Verified"] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """Who presented a credential, and until when that holds (seconds since 1970)."""

    principal: Principal
    until: float

"""Where each chain was, kept outside the database: who rewrites a chain together with its head cannot rewrite this as well.

One file of the installation, `FORETELL_HOME/audit/heads.json`, signed with SECRET_KEY. The digest of one row holds all rows before it,
so that the newest of each chain is enough.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from foretell.audit import chains
from foretell.audit.content import moment
from foretell.audit.recording import record
from foretell.core.tenancy import HasSchema, use_tenant
from foretell.errors import ForetellError


class AnchorsDamaged(ForetellError):
    code = "audit_anchors_damaged"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not as Foretell wrote it: it was changed, or SECRET_KEY was. Bring it back from a backup, or, if all chains are "
            "known to be whole, delete it; the worker writes another."
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row that a chain has, since `at` at the latest."""

    position: int
    digest: str
    at: str


def anchors_path() -> Path:
    home: Path = settings.FORETELL_HOME
    return home / "audit" / "heads.json"


def read_anchors() -> dict[str, Anchor]:
    """Return the anchor of each schema; none where none was written on this machine.

    Raises
    ------
    AnchorsDamaged
    """
    path = anchors_path()
    try:
        kept = json.loads(path.read_bytes())
        found = {str(name): Anchor(**fields) for name, fields in kept["heads"].items()}
        is_ours = hmac.compare_digest(str(kept["seal"]), _seal(found))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise AnchorsDamaged(path) from err
    if not is_ours:
        raise AnchorsDamaged(path)
    return found


def keep_anchors(*, chains_of: list[HasSchema], now: datetime) -> list[str]:
    """Move each chain's anchor to its end; return the schemas of those that do not go through their anchor any more.

    Their anchors stay where they are, as the proof of it. Anchors of tenants that are gone go.
    """
    known = read_anchors()
    kept, broken = {}, []
    for tenant in chains_of:
        with use_tenant(tenant):
            name, head = str(tenant.schema_name), chains.head()
            anchor = known.get(name)
            if not is_passed(anchor):
                broken.append(name)
            elif head.position and (anchor is None or anchor.position != head.position):
                anchor = Anchor(head.position, head.digest, moment(now))
        if anchor is not None:
            kept[name] = anchor
    if kept != known:
        _write(kept)
    return broken


def accept_chain(*, now: datetime) -> Anchor:
    """Let the chain at hand end where it ends now: after a backup was brought back, say. Who may decide that is the caller's part.

    That it was done is a row of the chain, with the anchor that no longer holds.
    """
    known = read_anchors()
    _record_acceptance(known.get(chains.schema_name()))
    head = chains.head()
    anchor = Anchor(head.position, head.digest, moment(now))
    _write({**known, head.schema_name: anchor})
    return anchor


def is_passed(anchor: Anchor | None) -> bool:
    """Whether the chain at hand goes through its anchor; one that lies before its pruned beginning proves nothing."""
    if anchor is None:
        return True
    head = chains.head()
    if anchor.position < head.pruned_position:
        return True
    if anchor.position == head.pruned_position:
        return anchor.digest == head.pruned_digest
    return chains.entries().filter(position=anchor.position, digest=anchor.digest).exists()


@transaction.atomic
def _record_acceptance(was: Anchor | None) -> None:
    head = chains.head()
    before = {"position": was.position, "digest": was.digest} if was else None
    after = {"position": head.position, "digest": head.digest}
    record(action="audit.accepted", target=("audit", chains.chain_id()), before=before, after=after)


def _write(anchors: dict[str, Anchor]) -> None:
    """Put the file in the place of the old one, in one step."""
    path = anchors_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {"heads": _plain(anchors), "seal": _seal(anchors)}
    staged = path.with_suffix(f".{os.getpid()}")
    staged.write_text(json.dumps(content, indent=1))
    staged.chmod(0o600)
    staged.replace(path)


def _plain(anchors: dict[str, Anchor]) -> dict[str, Any]:
    return {name: asdict(anchor) for name, anchor in sorted(anchors.items())}


def _seal(anchors: dict[str, Anchor]) -> str:
    key = sha256(b"foretell audit anchors\0" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, json.dumps(_plain(anchors), sort_keys=True).encode(), sha256).hexdigest()

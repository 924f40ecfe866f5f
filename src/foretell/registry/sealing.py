"""The installation's signature over what a version serves: only what was built here is loaded here."""

import hmac
import json
from hashlib import sha256

from django.conf import settings

from foretell.core.tenancy import current_tenant
from foretell.errors import ForetellError
from foretell.registry.models import ModelVersion


class SealBroken(ForetellError):
    """A version whose row or file is not what was built."""

    code = "seal_broken"
    kind = "unavailable"


def seal(version: ModelVersion) -> str:
    """Return HMAC-SHA256 over all that decides what the version answers; the tenant is in it, so rows do not travel."""
    claims = {
        "tenant": str(current_tenant().id),
        "model": version.model_id,
        "number": version.number,
        "sha256": version.sha256,
        "runtime": version.runtime,
        "signature": version.signature,
        "examples": version.examples,
    }
    message = json.dumps(claims, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(_key(), message, sha256).hexdigest()


def check_seal(version: ModelVersion) -> None:
    if not hmac.compare_digest(seal(version), version.seal):
        raise SealBroken(
            f"{version} is not as it was built here: its row was changed, or SECRET_KEY was. "
            "Restore both from one backup, or push the model again."
        )


def _key() -> bytes:
    return sha256(b"foretell versions\0" + settings.SECRET_KEY.encode()).digest()

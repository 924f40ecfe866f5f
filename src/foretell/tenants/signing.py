"""Signed values that hold in one tenant: in links, tokens and wherever else something comes back from outside.

Security: a value signed in one tenant says nothing in another, also where the same rows have the same keys. The linter
forbids Django's own signers elsewhere.
"""

from django.core.signing import TimestampSigner

from foretell.core.tenancy import current_tenant


def tenant_signer(purpose: str) -> TimestampSigner:
    """Return a signer for one purpose in the tenant at hand; its values verify there, for that purpose, and nowhere else."""
    return TimestampSigner(salt=f"foretell.{purpose}.{current_tenant().id}")

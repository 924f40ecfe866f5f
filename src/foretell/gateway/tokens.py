"""What is known of a tenant's tokens, so that the lane verifies one from memory: public keys, people's generations, what was ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from foretell.accounts.permissions import Principal as Person
from foretell.accounts.tokens.claims import AccessToken
from foretell.accounts.tokens.issuing import issuer
from foretell.accounts.tokens.signing_keys import to_public_key
from foretell.accounts.tokens.verifying import verified
from foretell.gateway.entries import person_of, principal_of
from foretell.gateway.rows import PersonRow, SigningKeyRow, TenantRows
from foretell.serving.catalogue import Principal


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """tenant : the tenant's rows, without what is many: what principals are made with.

    ended : families that were ended so lately that an access token of theirs could still be valid.
    """

    tenant: TenantRows
    people: Mapping[str, PersonRow]
    keys: Mapping[str, SigningKeyRow]
    ended: frozenset[str]


def facts_of(rows: TenantRows) -> TokenFacts:
    return TokenFacts(
        tenant=msgspec.structs.replace(
            rows, people=[], keys=[], models=rows.models if rows.restricted else [], signing_keys=[], ended_families=[]
        ),
        people={row.id: row for row in rows.people},
        keys={row.kid: row for row in rows.signing_keys},
        ended=frozenset(rows.ended_families),
    )


def principal_of_token(facts: TokenFacts, token: str, *, now_s: float) -> tuple[Principal, float] | None:
    """Return whom an access token names, and when it ends; None where it is none, or was ended."""

    def public_key_of(kid: str) -> Ed25519PublicKey | None:
        row = facts.keys.get(kid)
        is_over = row is None or (row.verifies_until is not None and row.verifies_until <= now_s)
        return None if row is None or is_over else to_public_key(row.public_key)

    claims = verified(token, public_key_of=public_key_of, issuer=issuer(), audience=facts.tenant.id, now_s=now_s)
    person = None if claims is None else _person(facts, claims)
    if claims is None or person is None:
        return None
    return principal_of(person, tenant=facts.tenant), float(claims.exp)


def _person(facts: TokenFacts, claims: AccessToken) -> Person | None:
    """Race condition: a generation beyond the one that is known here was made meanwhile: the token is younger than what is known."""
    row = facts.people.get(claims.sub)
    if row is None or claims.gen < row.token_generation or claims.sid in facts.ended:
        return None
    return replace(person_of(row, tenant=facts.tenant), scopes=claims.scopes)

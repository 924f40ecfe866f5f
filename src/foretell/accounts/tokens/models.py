"""What is kept of tokens, in the tenant's schema: keys to sign with, and one row for all refresh tokens of one sign-in."""

import secrets

from django.db import models

from foretell.ids import uuid7

SECRET_BYTES = 32


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


class SigningKey(models.Model):
    """An Ed25519 key. It signs from its time on until the next one's; rows are made and deleted, never changed.

    number : counts the tenant's keys. Race condition: of several that make the next one at once, it lets one.
    public_key : 32 bytes in base64url, as in the JWKS.
    sealed : the private key; see `sealing`.
    """

    kid = models.CharField(max_length=43, primary_key=True)
    number = models.PositiveIntegerField(unique=True)
    public_key = models.CharField(max_length=43)
    sealed = models.BinaryField(editable=False)
    signs_from = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.kid


class TokenFamily(models.Model):
    """All tokens that came of one sign-in.

    A refresh token is the family's id, a number and a MAC over both (`refresh_tokens`): of all that were given out, the one with the
    family's own `number` is to be used next, and any smaller one was used before. So reuse is known for ever, from one row.

    secret : goes into each MAC, beside the installation's key.
    rotated_at : when `number` was raised; null: not yet.
    generation : the user's `token_generation` at the sign-in; with another one the family is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="token_families")
    secret = models.BinaryField(default=new_secret, editable=False)
    number = models.PositiveBigIntegerField(default=0)
    generation = models.PositiveBigIntegerField()
    scopes = models.JSONField(default=list)
    started_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at",)
        verbose_name_plural = "token families"
        indexes = [
            models.Index(fields=["expires_at"], name="tokenfamily_expires"),
            models.Index(
                fields=["revoked_at"], name="tokenfamily_revoked", condition=models.Q(revoked_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

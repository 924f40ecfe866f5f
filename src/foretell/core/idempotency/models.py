"""Answers that are kept for whoever asks again. In the tenant's schema."""

import uuid

from django.db import models


class KeptAnswer(models.Model):
    """One idempotency key of somebody, at one address; with the answer, once there is one.

    place : names key, caller and address together, hashed: the key itself is not kept.
    claim : of the request that is working on it; another one that took over has another.
    """

    place = models.CharField(max_length=64, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    claim = models.UUIDField(default=uuid.uuid4)
    claimed_until = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)  # null: still being answered
    sealed = models.BinaryField(default=bytes)  # headers and body; see sealing.py

    def __str__(self) -> str:
        return f"{self.place[:12]}…: {self.status or 'being answered'}"

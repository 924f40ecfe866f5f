"""What account flows keep for a moment."""

from django.db import models

from foretell.core.models import TimestampedModel
from foretell.ids import uuid7


class OutgoingMail(TimestampedModel):
    """A mail on its way, until it was sent. Security: it may hold a code; the queue, which is everybody's, knows its id alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    to = models.EmailField()
    subject = models.CharField(max_length=250)
    body = models.TextField()

    def __str__(self) -> str:
        return f"{self.subject}, to {self.to}"

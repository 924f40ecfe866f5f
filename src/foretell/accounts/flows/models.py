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


class PendingSignUp(TimestampedModel):
    """A name that was taken in a sign-up, until its address is verified, or a week has passed.

    user : whose name it is; null: the address was somebody's already, and no account was made. Security: the name is taken in either
        case, so that it does not tell one from the other.
    """

    username_key = models.CharField(max_length=512, primary_key=True)
    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, null=True, related_name="pending_sign_up")

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="pendingsignup_created")]

    def __str__(self) -> str:
        return self.username_key

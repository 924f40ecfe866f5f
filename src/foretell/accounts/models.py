"""A tenant's people and their keys. In the tenant's schema: another tenant's credential is not found."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from foretell.accounts.folding import FoldedField, folded, validate_username
from foretell.accounts.roles import Role, Scope
from foretell.core.models import TimestampedModel
from foretell.ids import uuid7

LAST_USED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is: not a write for every request


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Find somebody by name or by e-mail address, in any case."""
        key = folded(username or "")
        return self.get(
            models.Q(email_key=key)
            if "@" in key and not self.filter(username_key=key).exists()
            else models.Q(username_key=key)
        )

    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        """Answer Django's own command: in a tenant, who may do everything is its owner."""
        user = self.model(username=username, email=email, role=Role.OWNER, is_superuser=True, **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin, TimestampedModel):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=150, validators=[validate_username])
    username_key = FoldedField(source="username")
    email = models.EmailField()
    email_key = FoldedField(source="email")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    # Tokens carry it, and end when it is raised: by `tokens.services.end_all`, and by a trigger where the password or `is_active` changes.
    token_generation = models.PositiveBigIntegerField(default=0, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        ordering = ("username_key",)
        constraints = [
            models.UniqueConstraint(fields=["username_key"], name="user_username_unique"),
            models.UniqueConstraint(fields=["email_key"], name="user_email_unique"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.username


class APIKeyQuerySet(models.QuerySet["APIKey"]):
    def usable(self, now: datetime) -> "APIKeyQuerySet":
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now), revoked_at=None, user__is_active=True
        )


class APIKey(TimestampedModel):
    """A program's credential: it may do what its person may, within its scopes and models."""

    key_id = models.CharField(max_length=16, primary_key=True)
    secret_digest = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    model_names = models.JSONField(null=True, blank=True)  # the models it is limited to; null: all
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = APIKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"ft_{self.key_id}_…"

    def was_used(self, now: datetime) -> None:
        """Note the use; at most once a minute, in one statement that races with nobody."""
        if self.last_used_at is None or now - self.last_used_at >= LAST_USED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)


__all__ = ["APIKey", "Role", "Scope", "User"]

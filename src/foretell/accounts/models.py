"""A tenant's people, service accounts and their keys, and what is said of them. In the tenant's schema: another tenant's credential is not found."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from foretell.accounts.folding import FoldedField, folded, validate_username
from foretell.accounts.roles import Role, Scope
from foretell.core.models import TimestampedModel
from foretell.ids import uuid7

LAST_USED_EVERY = timedelta(minutes=1)  # how exact `last_used_at` is: not a write for every request


class UserManager(BaseUserManager["User"]):
    def members(self) -> "models.QuerySet[User]":
        """Return those who were not removed; of those who were, only a row is left, for what they made."""
        return self.filter(removed_at=None)

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
        user.email_verified_at = timezone.now()
        user.full_clean()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin, TimestampedModel):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=150, validators=[validate_username])
    username_key = FoldedField(source="username")
    email = models.EmailField(blank=True, default="")  # a person has one
    email_key = FoldedField(source="email")
    # Null: nobody has shown yet that mail reaches them there. allauth's EmailAddress mirrors both, by a trigger.
    email_verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Asked for, and not theirs until they verify it: it signs nobody in, gets codes alone, and keeps it from nobody else.
    pending_email = models.EmailField(blank=True, default="", db_default="", editable=False)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    is_person = models.BooleanField(default=True)  # else a service account: it has keys, and cannot sign in
    responsible = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="service_accounts"
    )  # the admin who answers for a service account
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
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
            models.UniqueConstraint(fields=["email_key"], name="user_email_unique", condition=~models.Q(email_key="")),
            models.CheckConstraint(
                condition=~models.Q(email="") | models.Q(is_person=False) | models.Q(removed_at__isnull=False),
                name="user_person_has_email",
            ),
            models.CheckConstraint(
                condition=models.Q(is_person=True) | ~models.Q(role=Role.OWNER), name="user_owner_is_person"
            ),
            models.CheckConstraint(
                condition=models.Q(removed_at=None) | models.Q(is_active=False), name="user_removed_is_out"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Let browsers' sessions end with the tokens: when the generation is raised."""
        value = f"{self.password}\0{self.token_generation}"
        return salted_hmac("foretell.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()


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
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    rolled_to = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="rolled_from"
    )

    objects = APIKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"ft_{self.key_id}_…"

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def was_used(self, now: datetime) -> None:
        """Note the use; at most once a minute, in one statement that races with nobody."""
        if self.last_used_at is None or now - self.last_used_at >= LAST_USED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)


class ModelPolicy(TimestampedModel):
    """What a model asks beyond roles. Models are named, since the registry is a room above this one; names are for ever."""

    model_name = models.CharField(max_length=100, primary_key=True)
    is_restricted = models.BooleanField(default=False)  # only grants let viewers and editors see, ask and change it
    needs_approval = models.BooleanField(default=False)  # four eyes: a second person approves each promotion

    def __str__(self) -> str:
        return f"What {self.model_name} asks"


class ModelGrant(TimestampedModel):
    """What somebody may do with one model: beyond their role, or, where it is restricted, at all."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    model_name = models.CharField(max_length=100)
    actions = models.JSONField(default=list)

    class Meta:
        ordering = ("model_name", "user_id")
        constraints = [models.UniqueConstraint(fields=["user", "model_name"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.model_name}: {', '.join(self.actions)}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        """Return those that were neither accepted nor revoked; they may have expired."""
        return self.filter(accepted_at=None, revoked_at=None)


class Invitation(TimestampedModel):
    """Somebody is asked to come, with a role. The link that was sent carries this row's id, signed; the row says whether it still holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField()
    email_key = FoldedField(source="email")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    invited_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # null: an operator
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["email_key"], name="invitation_open_once", condition=models.Q(accepted_at=None, revoked_at=None)
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    def state(self, now: datetime) -> str:
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if self.expires_at > now else "expired"


class SignUp(models.TextChoices):
    """How people come to a tenant."""

    OPEN = "open", "Anybody signs up, and reads"
    INVITATION = "invitation", "Who is invited comes"
    CLOSED = "closed", "Nobody comes, but by an operator"


class SignUpPolicy(TimestampedModel):
    """The tenant's one row, once it was set."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    mode = models.CharField(max_length=10, choices=SignUp, default=SignUp.INVITATION)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="sign_up_policy_once"),
            models.CheckConstraint(condition=models.Q(mode__in=SignUp.values), name="sign_up_mode_known"),
        ]

    def __str__(self) -> str:
        return self.mode


__all__ = ["APIKey", "Invitation", "ModelGrant", "ModelPolicy", "Role", "Scope", "SignUp", "SignUpPolicy", "User"]

"""Who may tell a tenant who somebody is. In the tenant's schema."""

from django.core.validators import RegexValidator
from django.db import models

from foretell.accounts.roles import Role
from foretell.accounts.sealing import opened, sealed
from foretell.core.models import TimestampedModel

PURPOSE = "identity provider"
SLUG = RegexValidator(r"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z", "Expected a-z, 0-9 and hyphens, 40 at most.")
#: Roles that a provider may give to who comes by it. Security: whoever runs a provider makes nobody an admin.
JOINING_ROLES = [(role.value, role.label) for role in (Role.VIEWER, Role.EDITOR)]


class IdentityProvider(TimestampedModel):
    """An OpenID Connect provider.

    email_domains : whose addresses it may speak for; empty: any.
    joins_as : the role of who comes by it and is not known yet; "": only who was invited, or by the tenant's own rule for signing up.
    """

    slug = models.CharField(max_length=40, primary_key=True, validators=[SLUG])
    name = models.CharField(max_length=40)
    issuer = models.URLField(max_length=500)
    client_id = models.CharField(max_length=191)
    sealed_secret = models.TextField(editable=False)
    email_domains = models.JSONField(default=list, blank=True)
    joins_as = models.CharField(max_length=10, choices=JOINING_ROLES, blank=True, default="")

    class Meta:
        ordering = ("slug",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(joins_as__in=["", Role.VIEWER, Role.EDITOR]), name="identity_provider_role"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """Return the client's secret; "" where it cannot be opened any more, since SECRET_KEY was changed."""
        return opened(self.sealed_secret, purpose=PURPOSE) or ""

    @secret.setter
    def secret(self, value: str) -> None:
        self.sealed_secret = sealed(value, purpose=PURPOSE)

    def speaks_for(self, email: str) -> bool:
        return not self.email_domains or email.rpartition("@")[2].lower() in self.email_domains

"""The sites that a tenant lets in. In the tenant's schema."""

from django.db import models


class AllowedOrigin(models.Model):
    """An origin as browsers send it, such as `https://app.example.com`; `*` is any."""

    origin = models.CharField(max_length=255, primary_key=True)

    class Meta:
        ordering = ("origin",)

    def __str__(self) -> str:
        return self.origin

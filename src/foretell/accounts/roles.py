"""The roles of a tenant's people, and the scopes of their keys. What they may do is in `permissions.py`."""

from django.db import models


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    ADMIN = "admin", "Admin"
    OWNER = "owner", "Owner"


class Scope(models.TextChoices):
    PREDICT = "predict", "Predict"
    MODELS_READ = "models:read", "Read models"
    MODELS_WRITE = "models:write", "Push, promote and archive models"
    JOBS = "jobs", "Batch jobs"
    ADMIN = "admin", "Everything that the person may do"

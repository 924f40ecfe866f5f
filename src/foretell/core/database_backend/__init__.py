"""The database backend: django-tenants' own, made to fail where it would read another tenant's rows."""

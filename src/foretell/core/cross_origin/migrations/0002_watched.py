# The fast lane answers pages of other sites from memory: it is told when a tenant lets in others.

from django.db import migrations

WATCH = "SELECT public.foretell_watch('cross_origin_allowedorigin', '{origin}');"
UNWATCH = "SELECT public.foretell_unwatch('cross_origin_allowedorigin');"


class Migration(migrations.Migration):
    dependencies = [
        ("cross_origin", "0001_initial"),
        ("tenants", "0005_revisions"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]

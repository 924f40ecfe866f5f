import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("place", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("claim", models.UUIDField(default=uuid.uuid4)),
                ("claimed_until", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("sealed", models.BinaryField(default=bytes)),
            ],
        ),
    ]

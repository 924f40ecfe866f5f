from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AllowedOrigin",
            fields=[("origin", models.CharField(max_length=255, primary_key=True, serialize=False))],
            options={"ordering": ("origin",)},
        ),
    ]

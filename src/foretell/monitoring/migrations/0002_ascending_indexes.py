# Optimization: ids come in ascending order. An index that descends takes each at the front of its part, and is left with pages half empty.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [
        migrations.RemoveIndex("prediction", "prediction_of_model"),
        migrations.RemoveIndex("prediction", "prediction_of_user"),
        migrations.AddIndex("prediction", models.Index(fields=["model", "id"], name="prediction_of_model")),
        migrations.AddIndex("prediction", models.Index(fields=["user_id", "id"], name="prediction_of_user")),
    ]

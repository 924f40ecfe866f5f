# With defaults of the database's own: what drains by the code of before goes on while this one is rolled out.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0002_ascending_indexes")]

    operations = [
        migrations.AddField("prediction", "cpu_us", models.PositiveBigIntegerField(db_default=0)),
        migrations.AddField("usagehour", "cpu_us", models.PositiveBigIntegerField(default=0, db_default=0)),
    ]

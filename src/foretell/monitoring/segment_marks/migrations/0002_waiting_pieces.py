from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("segment_marks", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="WaitingPiece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("segment", models.CharField(max_length=32)),
                ("tenant", models.CharField(max_length=36)),
                ("begins", models.PositiveBigIntegerField()),
                ("ends", models.PositiveBigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("segment", "tenant"), name="one_piece_waits_of_each"),
                ],
            },
        ),
    ]

# Lists read thousands of versions, for their metrics and tasks, and not one signature: those stand beside the rows, not in them.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0005_catalogue_search_cards_and_parents"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE registry_modelversion SET (toast_tuple_target = 512)",
            "ALTER TABLE registry_modelversion RESET (toast_tuple_target)",
        )
    ]

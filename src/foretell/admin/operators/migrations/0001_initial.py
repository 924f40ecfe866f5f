import foretell.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='OperatorSession',
            fields=[
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('id', models.UUIDField(default=foretell.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('operator', models.CharField(max_length=200)),
                ('link_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('link_expires_at', models.DateTimeField()),
                ('digest', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('entered_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
    ]

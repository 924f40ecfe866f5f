import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import foretell.registry.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0004_watched'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelCard',
            fields=[
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='card', serialize=False, to='registry.registeredmodel')),
                ('text', models.TextField()),
            ],
        ),
        migrations.AddField(
            model_name='modelversion',
            name='parent',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='children', to='registry.modelversion'),
        ),
        migrations.AddIndex(
            model_name='registeredmodel',
            index=models.Index(condition=models.Q(('archived_at', None)), fields=['name'], name='model_in_use'),
        ),
        migrations.AddIndex(
            model_name='registeredmodel',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('description', config='simple'), name='model_description_words'),
        ),
        migrations.AddField(
            model_name='modelcard',
            name='updated_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='task',
            field=models.GeneratedField(db_persist=True, expression=foretell.registry.expressions.TaskOf('signature'), output_field=models.TextField(null=True)),
        ),
    ]

# Promotions of models that ask for four eyes: who asked, for what, and who decided.

import django.db.models.deletion
import foretell.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0006_signatures_out_of_line'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PromotionRequest',
            fields=[
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('id', models.UUIDField(default=foretell.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('alias', models.CharField(max_length=50)),
                ('from_number', models.PositiveIntegerField(blank=True, null=True)),
                ('allow_signature_change', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('open', 'Waits for a second person'), ('approved', 'Approved'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn')], default='open', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('comment', models.CharField(blank=True, default='', max_length=1000)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promotion_requests', to='registry.registeredmodel')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='promotion_requests', to='registry.modelversion')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['model', '-id'], name='promotions_of_model')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('model', 'alias', 'version'), name='promotion_asked_once'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'approved', 'declined', 'withdrawn'])), name='promotion_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_by__isnull', False)), _connector='OR'), name='promotion_decided_by_somebody')],
            },
        ),
    ]

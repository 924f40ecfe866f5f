"""How logged predictions look from outside."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.reverse import reverse

from foretell.accounts.models import User
from foretell.monitoring import payloads
from foretell.monitoring.models import Prediction


def usernames(predictions: Iterable[Prediction]) -> dict[UUID, str]:
    """Return the names of those who asked, in one query; who is gone has none."""
    ids = {prediction.user_id for prediction in predictions}
    return {user.id: user.username for user in User.objects.filter(id__in=ids).only("username")}


class PredictionSerializer(serializers.ModelSerializer[Prediction]):
    """One prediction in a list: who asked which version, when, and how long it took."""

    user = serializers.SerializerMethodField()
    key = serializers.CharField(source="key_id", allow_null=True, read_only=True)
    duration_ms = serializers.SerializerMethodField()
    cpu_ms = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Prediction
        fields = [
            "id", "at", "model", "version", "face", "user", "key", "request_id", "n_rows", "duration_ms", "cpu_ms", "n_warnings", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_user(self, prediction: Prediction) -> str | None:
        names: dict[UUID, str] = self.context["usernames"]
        return names.get(prediction.user_id)

    def get_duration_ms(self, prediction: Prediction) -> float:
        return prediction.duration_us / 1_000

    def get_cpu_ms(self, prediction: Prediction) -> float:
        return prediction.cpu_us / 1_000

    def get_url(self, prediction: Prediction) -> str:
        return reverse("monitoring:prediction", args=[prediction.pk], request=self.context["request"])


class PredictionDetailSerializer(PredictionSerializer):
    """One prediction with what was asked and answered, as far as its model's policy keeps that."""

    inputs = serializers.SerializerMethodField()
    inputs_omitted = serializers.SerializerMethodField()
    outputs = serializers.SerializerMethodField()
    outputs_omitted = serializers.SerializerMethodField()

    class Meta(PredictionSerializer.Meta):
        fields = [*PredictionSerializer.Meta.fields, "inputs", "inputs_omitted", "outputs", "outputs_omitted"]
        read_only_fields = fields

    def get_inputs(self, prediction: Prediction) -> list[dict[str, Any]] | None:
        return payloads.input_rows(prediction)

    def get_inputs_omitted(self, prediction: Prediction) -> str | None:
        return payloads.inputs_omitted(prediction)

    def get_outputs(self, prediction: Prediction) -> dict[str, Any] | None:
        return payloads.outputs(prediction)

    def get_outputs_omitted(self, prediction: Prediction) -> str | None:
        return payloads.outputs_omitted(prediction)


class PredictionFilters(serializers.Serializer[Any]):
    """What the log can be narrowed to; times are ISO 8601, `until` is not included."""

    model = serializers.CharField(required=False, max_length=100)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    user = serializers.CharField(required=False, max_length=150, help_text="A user name.")
    key = serializers.CharField(required=False, max_length=16, help_text="The id of an API key.")
    request_id = serializers.CharField(required=False, max_length=128)

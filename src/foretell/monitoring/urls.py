from django.urls import path

from foretell.monitoring.views.predictions import PredictionsView, PredictionView
from foretell.monitoring.views.usage import UsageView

app_name = "monitoring"

urlpatterns = [
    path("api/v1/predictions/", PredictionsView.as_view(), name="predictions"),
    path("api/v1/predictions/<uuid:id>/", PredictionView.as_view(), name="prediction"),
    path("api/v1/usage/", UsageView.as_view(), name="usage"),
]

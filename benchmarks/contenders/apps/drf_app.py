"""A DRF project in one file, as tutorials deploy a model; run as a program, it sets up its database and prints a token."""

import os
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

WITH_TOKEN = "BENCH_AUTH" in os.environ
settings.configure(
    SECRET_KEY="for a benchmark on loopback",  # noqa: S106  nothing is protected by it
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework.authtoken"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DB"]}},
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"] if WITH_TOKEN else [],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"] if WITH_TOKEN else [],
    },
)
django.setup()

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

MODEL = joblib.load(Path(os.environ["BENCH_MODELS"]) / "iris.joblib")  # noqa: TID251  our own file


class Predict(APIView):
    def post(self, request: Any) -> Response:
        probabilities = MODEL.predict_proba(pd.DataFrame([request.data]))[0]  # the forest runs once, as everywhere here
        return Response({"prediction": MODEL.classes_[probabilities.argmax()], "probabilities": probabilities.tolist()})


urlpatterns = [path("predict/", Predict.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    print(Token.objects.create(user=User.objects.create_user("alice")).key)

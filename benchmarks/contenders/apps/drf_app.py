"""A DRF project in one file, as tutorials deploy a model; run as a program, it sets up its database and prints a credential."""

import os
from base64 import b64encode
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

AUTH = os.environ.get("BENCH_AUTH", "")
PASSWORD = "correct horse 42 battery"  # noqa: S105  of nobody
settings.configure(
    SECRET_KEY="for a benchmark on loopback",  # noqa: S106  nothing is protected by it
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework.authtoken"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DB"]}},
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [f"rest_framework.authentication.{AUTH.title()}Authentication"]
        if AUTH
        else [],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"] if AUTH else [],
    },
)
django.setup()

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

MODEL = joblib.load(os.environ["BENCH_FOREST"])  # noqa: TID251  our own file


class Predict(APIView):
    def post(self, request: Any) -> Response:
        row = pd.Series(list(request.data.values())).to_numpy().reshape(1, -1)
        return Response({"prediction": MODEL.predict(row)[0]})


urlpatterns = [path("predict/", Predict.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    user = User.objects.create_user("alice", password=PASSWORD)
    basic = b64encode(f"alice:{PASSWORD}".encode()).decode()
    print(f"Basic {basic}" if AUTH == "basic" else f"Token {Token.objects.create(user=user).key}")

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foretell.accounts.permissions import Action, principal_of
from foretell.accounts.serializers import MeSerializer


class MeView(APIView):
    """Who you are to Foretell, and what your credential may be used for."""

    required_actions = {"GET": Action.IDENTIFY}
    serializer_class = MeSerializer

    def get(self, request: Request) -> Response:
        return Response(MeSerializer(principal_of(request).user, context={"request": request}).data)

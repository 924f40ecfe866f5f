"""What is answered where no view did: a problem to programs, a page to people."""

from django.http import HttpRequest, HttpResponse

from foretell.core.problems import problem_response, wants_problem
from foretell.web import errors as pages


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=400, code="bad_request", detail="The request cannot be read.")
    return pages.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(
            status=403, code="permission_denied", detail="Your role, or the scopes of your key, do not include this."
        )
    return pages.forbidden(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if wants_problem(request):
        return problem_response(
            status=403, code="permission_denied", detail=f"The CSRF token is missing or wrong. {reason}".strip()
        )
    return pages.csrf_failure(request, reason)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_problem(request):
        return problem_response(status=404, code="not_found", detail="Nothing is here, or it is not yours.")
    return pages.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if wants_problem(request):
        return problem_response(
            status=500, code="error", detail="Something broke here. The request id finds it in our log."
        )
    return pages.server_error(request)

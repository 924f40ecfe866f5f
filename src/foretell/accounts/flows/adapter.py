"""Where allauth asks this house: who somebody is, where they may go on to, what is sent to them."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from foretell.accounts.flows import joining, outbox
from foretell.accounts.flows.begun import begin, complete
from foretell.accounts.flows.limits import take_mail
from foretell.accounts.flows.sessions import NO_ADDRESS, make_room
from foretell.accounts.flows.verifying import verify_email
from foretell.accounts.login_limits import client_of
from foretell.accounts.models import User
from foretell.accounts.people import change_password
from foretell.core.tenancy import current_tenant
from foretell.tenants.mail_links import root_for_mail
from foretell.tenants.staying import stays_below

RESET_PATH = "accounts/password/reset/"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth's classes are untyped
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Ask `accounts.backends`, by whichever name allauth took what was typed for.

        Raises
        ------
        Throttled
        """
        name = credentials.get("username") or credentials.get("email")
        user = authenticate(request, username=name, password=credentials.get("password"))
        return user if isinstance(user, User) else None

    def pre_login(self, request: HttpRequest, user: User, **hooks: Any) -> HttpResponse | None:
        begin(request, user)
        answer: HttpResponse | None = super().pre_login(request, user, **hooks)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin the session.

        Raises
        ------
        SignInOver
        """
        complete(request, user)
        make_room(user)
        super().login(request, user)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return joining.is_open()

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        is_verified = verify_email(user=email_address.user, email=email_address.email, now=timezone.now())
        email_address.verified = is_verified
        return is_verified

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        take_mail(email=emailconfirmation.email_address.email)
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        take_mail(email=email)
        address = f"{root_for_mail(self.request)}{RESET_PATH}"
        self.send_mail("account/email/account_already_exists", email, {"password_reset_url": address})

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue a mail; it is one of our templates, of plain text."""
        about = {"request": self.request, "tenant": current_tenant().name, "email": email, **context}
        mail = self.render_mail(template_prefix, email, about)
        outbox.post(to=email, subject=mail.subject, body=mail.body)

    def format_email_subject(self, subject: str) -> str:
        return f"{current_tenant().name}: {subject}"

    def add_message(self, *_: Any, **__: Any) -> None:
        """Leave nothing in the session for later: each page says by itself what was done."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("account_login")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        return reverse("web:account") if self.request.user.is_authenticated else reverse("account_login")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("web:account")

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the pages that ask once more who one is; who has neither password nor factor signs in again, from the first of them."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        by_provider = {"id": "provider", "description": "", "url": reverse("account_reauthenticate")}
        return found or ([by_provider] if user.is_authenticated else [])

    def is_safe_url(self, url: str | None) -> bool:
        """Security: nobody is led away from this tenant: not to another host, not out of its prefix, nor below another one's."""
        host = {self.request.get_host()}
        return bool(url) and url_has_allowed_host_and_scheme(url, host) and stays_below(str(url), get_script_prefix())

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages are pages; programs have the API."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_of(request) or NO_ADDRESS

from django.urls import path

from foretell.accounts.views.identity_providers import ProvidersView, ProviderView
from foretell.accounts.views.invitations import AcceptView, InvitationsView, InvitationView
from foretell.accounts.views.joining import SignUpView
from foretell.accounts.views.keys import KeyRollView, KeysView, KeyView
from foretell.accounts.views.me import LeaveView, MeView, OwnershipView
from foretell.accounts.views.second_factor import SecondFactorView
from foretell.accounts.views.sessions import SessionsView, SessionView
from foretell.accounts.views.users import UsersView, UserView

app_name = "accounts"

urlpatterns = [
    path("api/v1/me/", MeView.as_view(), name="me"),
    path("api/v1/me/sessions/", SessionsView.as_view(), name="sessions"),
    path("api/v1/me/sessions/<slug:session_id>/", SessionView.as_view(), name="session"),
    path("api/v1/sign-up/", SignUpView.as_view(), name="sign-up"),
    path("api/v1/me/leave/", LeaveView.as_view(), name="leave"),
    path("api/v1/ownership/", OwnershipView.as_view(), name="ownership"),
    path("api/v1/keys/", KeysView.as_view(), name="keys"),
    path("api/v1/keys/<slug:key_id>/", KeyView.as_view(), name="key"),
    path("api/v1/keys/<slug:key_id>/roll/", KeyRollView.as_view(), name="key-roll"),
    path("api/v1/identity-providers/", ProvidersView.as_view(), name="identity-providers"),
    path("api/v1/identity-providers/<slug:slug>/", ProviderView.as_view(), name="identity-provider"),
    path("api/v1/users/", UsersView.as_view(), name="users"),
    path("api/v1/users/<uuid:user_id>/", UserView.as_view(), name="user"),
    path("api/v1/users/<uuid:user_id>/second-factor/", SecondFactorView.as_view(), name="user-second-factor"),
    path("api/v1/invitations/", InvitationsView.as_view(), name="invitations"),
    path("api/v1/invitations/accept/", AcceptView.as_view(), name="invitation-accept"),
    path("api/v1/invitations/<uuid:invitation_id>/", InvitationView.as_view(), name="invitation"),
]

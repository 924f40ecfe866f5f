from django.urls import path

from foretell.web.views.access import access
from foretell.web.views.catalogue import catalogue
from foretell.web.views.promotions import decide, promotions
from foretell.web.views.settings.account import account
from foretell.web.views.settings.audit import audit
from foretell.web.views.settings.identity import provider, providers
from foretell.web.views.settings.invitations import come, invitations, revoke_invitation
from foretell.web.views.settings.keys import keys, revoke_key, roll_key
from foretell.web.views.settings.leaving import leave, transfer
from foretell.web.views.settings.members import member, members, remove_member
from foretell.web.views.settings.places import settings_home
from foretell.web.views.settings.sessions import end_session, sessions
from foretell.web.views.settings.sign_up import sign_up
from foretell.web.views.signing_in import SignIn, sign_out
from foretell.web.views.trying import try_model

app_name = "web"

urlpatterns = [
    path("", catalogue, name="catalogue"),
    path("models/<str:name>/", try_model, name="model"),
    path("models/<str:name>/access/", access, name="access"),
    path("promotions/", promotions, name="promotions"),
    path("promotions/<uuid:promotion_id>/", decide, name="promotion"),
    path("settings/", settings_home, name="settings"),
    path("settings/account/", account, name="account"),
    path("settings/sessions/", sessions, name="sessions"),
    path("settings/sessions/<slug:session_id>/end/", end_session, name="session-end"),
    path("settings/sign-up/", sign_up, name="sign-up-policy"),
    path("settings/identity/", providers, name="identity"),
    path("settings/identity/<slug:slug>/", provider, name="identity-provider"),
    path("settings/keys/", keys, name="keys"),
    path("settings/keys/<slug:key_id>/roll/", roll_key, name="key-roll"),
    path("settings/keys/<slug:key_id>/revoke/", revoke_key, name="key-revoke"),
    path("settings/members/", members, name="members"),
    path("settings/members/<uuid:user_id>/", member, name="member"),
    path("settings/members/<uuid:user_id>/remove/", remove_member, name="member-remove"),
    path("settings/invitations/", invitations, name="invitations"),
    path("settings/invitations/<uuid:invitation_id>/revoke/", revoke_invitation, name="invitation-revoke"),
    path("settings/ownership/", transfer, name="transfer"),
    path("settings/leave/", leave, name="leave"),
    path("accounts/invitation/<str:token>/", come, name="invitation"),
    path("settings/audit/", audit, name="audit"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", sign_out, name="logout"),
]

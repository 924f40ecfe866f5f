"""Every address of a tenant's admin, by its name, with things of acme's; and what each change through it needs."""

from dataclasses import dataclass, field
from typing import Any

USER = "01a1fd19-5c37-7fea-93a3-0000000000b0"  # a service account
INVITATION = "01a1fd19-5c37-7fea-93a3-0000000000c0"
PREDICTION = "01a1fd19-5c37-7fea-93a3-387aa748e341"
ENTRY = "01a1fd19-5c37-7fea-93a3-0000000000a0"
KEY, ROW = "robotrobot", "1"  # rows that are numbered are put in by `tests/admin/conftest.py: place`
A = "/admin"

PAGES = {
    "admin:index": f"{A}/",
    "admin:app_list": f"{A}/accounts/",
    "admin:jsi18n": f"{A}/jsi18n/",
}
OBJECTS = {
    "accounts_user": (f"{A}/accounts/user", USER, ("add", "change", "delete", "history")),
    "accounts_apikey": (f"{A}/accounts/apikey", KEY, ("change", "delete", "history")),
    "accounts_invitation": (f"{A}/accounts/invitation", INVITATION, ("add", "change", "delete", "history")),
    "registry_registeredmodel": (f"{A}/registry/registeredmodel", ROW, ("add", "change", "history")),
    "registry_modelversion": (f"{A}/registry/modelversion", ROW, ("change", "delete", "history")),
    "registry_alias": (f"{A}/registry/alias", ROW, ("add", "change", "delete", "history")),
    "monitoring_prediction": (f"{A}/monitoring/prediction", PREDICTION, ("change",)),
    "audit_entry": (f"{A}/audit/entry", ENTRY, ("change",)),
}
for _name, (_path, _id, _verbs) in OBJECTS.items():
    PAGES[f"admin:{_name}_changelist"] = f"{_path}/"
    PAGES |= {f"admin:{_name}_{verb}": f"{_path}/{'' if verb == 'add' else f'{_id}/'}{verb}/" for verb in _verbs}
#: The ids of what is numbered are another one in each test.
NUMBERED = ("registry_registeredmodel", "registry_modelversion", "registry_alias")


@dataclass(frozen=True)
class Change:
    """What is sent to an address, and what the audit then says."""

    action: str
    fields: dict[str, Any] = field(default_factory=dict)


YES = {"post": "yes"}
MODEL = {"description": "Adds.", "limit_scope": "", "log_payload": "full", "redacted": ""}
#: In an order in which each can be made behind the others.
CHANGES = {
    "admin:accounts_user_add": Change("user.created", {"username": "ci", "role": "editor"}),
    "admin:accounts_user_change": Change("user.role_changed", {"role": "editor", "is_active": "on", "responsible": "adam"}),
    "admin:accounts_apikey_delete": Change("key.revoked", YES),
    "admin:accounts_user_delete": Change("user.removed", YES),
    "admin:accounts_invitation_add": Change("invitation.created", {"email": "n@acme.example", "role": "viewer"}),
    "admin:accounts_invitation_delete": Change("invitation.revoked", YES),
    "admin:registry_registeredmodel_add": Change("model.created", {"name": "wine", "description": ""}),
    "admin:registry_registeredmodel_change": Change("model.changed", MODEL),
    "admin:registry_modelversion_change": Change("version.changed", {"description": "The second."}),
    "admin:registry_alias_add": Change("alias.moved", {"model_name": "sum", "alias": "canary", "number": "1"}),
    "admin:registry_alias_change": Change("alias.moved", {"number": "2"}),
    "admin:registry_alias_delete": Change("alias.deleted", YES),
    "admin:registry_modelversion_delete": Change("version.deleted", YES),
}  # fmt: skip
#: Only read; a form that is sent there is refused, or is no form at all.
READ = PAGES.keys() - CHANGES.keys()

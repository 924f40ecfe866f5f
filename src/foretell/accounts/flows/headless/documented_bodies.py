"""Bodies, as the inputs of the views have them: the same fields are what a body is held to (`strict`)."""

from typing import Any

from allauth.account.fields import PhoneField
from django import forms

from foretell.accounts.flows.headless.kinds import schema_of

Json = dict[str, Any]

# What a field means, and an example of it, where its name does not say so.
CREDENTIAL: Json = {
    "id": "-J4JNfPfnLyRSMK4R", "rawId": "-J4JNfPfnLyRSMK4R", "type": "public-key", "clientExtensionResults": {},
    "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOi", "authenticatorData": "SZYN5YgO", "signature": "MEUCIE-7sqILygPq"},
}  # fmt: skip
WORDS: dict[str, tuple[str, Any]] = {
    "username": ("The user name. To sign in: this or the e-mail address.", "ada"),
    "email": ("The e-mail address.", "ada@acme.example"),
    "password": ("The password.", "correct horse battery staple"),
    "current_password": ("The password of now.", "correct horse battery staple"),
    "new_password": ("The new password.", "a better horse battery staple"),
    "key": ("What was sent by mail: the code, or what the link has behind `/key/`.", "ABCD-EFGH"),
    "code": ("Of the authenticator app, or a recovery code.", "314159"),
    "credential": ("What the passkey answered, by the credential's `toJSON()`.", CREDENTIAL),
    "name": ("What the passkey is called.", "key ring"),
    "passwordless": ("Whether it is to sign in by itself, so that it has to know you.", True),
    "id": ("The passkey's.", 7),
    "authenticators": ("The passkeys' ids.", [7]),
    "sessions": ("Their ids.", [12]),
}
ALTERNATIVES = ("email",)  # to sign in; what is not required stays out of an example


def body_of(view: Any, method: str) -> Json | None:
    """Return what is sent, None for nothing."""
    given = view.input_class
    form = given.get(method.upper()) if isinstance(given, dict) else given
    fields = _fields(form) if method != "get" and form is not None else {}
    if not fields:
        return None
    examples = {"example": {"value": {name: WORDS[name][1] for name in fields if name not in _left_out(fields)}}}
    return {"required": True, "content": {"application/json": {"schema": _schema(fields), "examples": examples}}}


def _fields(form: Any) -> dict[str, forms.Field]:
    return {name: field for name, field in form.base_fields.items() if not isinstance(field, PhoneField)}


def _schema(fields: dict[str, forms.Field]) -> Json:
    properties = {name: {**schema_of(field), "description": WORDS[name][0]} for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.required]
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _left_out(fields: dict[str, forms.Field]) -> list[str]:
    return [name for name in ALTERNATIVES if name in fields and not fields[name].required]

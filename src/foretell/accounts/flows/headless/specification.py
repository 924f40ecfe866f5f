"""allauth's own OpenAPI document, in the form that ours has: 3.1, with what our settings make of it.

It is read from the package, so that a new version of allauth shows itself in the snapshot. Where it does not say what allauth does,
`CORRECTED` does.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from allauth.headless.constants import Flow
from allauth.headless.spec.internal.schema import specify_user
from allauth.mfa import app_settings as mfa

Json = dict[str, Any]

PREFIX = "Headless"  # its names are ours as well: User, Session
COMPONENT = "#/components/schemas/"
_TIME: Json = {"$ref": f"{COMPONENT}Timestamp"}
_TEXT: Json = {"type": "string"}
_TRUTH: Json = {"type": "boolean"}
_PUBLIC_KEY: Json = {"publicKey": {"challenge": "aOecJJtLA2e-Dj2WU-zbRoJewbQqSUPxoA9EzsUL72o", "rpId": "acme.example"}}

CORRECTED: Json = {
    "AuthenticationMethod": {  # its cases overlap, so that some methods are of several
        "type": "object",
        "description": "How somebody showed who they are, and when.",
        "required": ["method", "at"],
        "properties": {
            "method": {"type": "string", "enum": ["password", "password_reset", "code", "mfa", "socialaccount"]},
            "at": _TIME,
            "email": {**_TEXT, "format": "email"},
            "username": _TEXT,
            "type": {"type": "string", "enum": [*mfa.SUPPORTED_TYPES]},
            "reauthenticated": _TRUTH,
            "provider": _TEXT,
            "uid": _TEXT,
        },
        "examples": [{"method": "password", "at": 1777636800.5, "username": "ada"}],
    },
    "Flow": {  # it lacks passkeys, and the providers
        "type": "object",
        "description": "A way to sign in, or to show once more who one is; a pending one was begun, and is to be finished.",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "enum": [flow.value for flow in Flow]},
            "is_pending": _TRUTH,
            "types": {"type": "array", "items": {"type": "string", "enum": [*mfa.SUPPORTED_TYPES]}},
            "providers": {"type": "array", "items": _TEXT},
            "provider": {"$ref": f"{COMPONENT}Provider"},
        },
    },
    "Timestamp": {"type": "number", "description": "Seconds since 1970, UTC.", "examples": [1777636800.5]},
    "AuthenticationMeta": {  # the rest is of clients without cookies
        "type": "object",
        "required": ["is_authenticated"],
        "properties": {"is_authenticated": _TRUTH},
    },
    "WebAuthnCredentialRequestOptions": {
        "type": "object",
        "description": "For `PublicKeyCredential.parseRequestOptionsFromJSON()`.",
        "required": ["request_options"],
        "properties": {
            "request_options": {"type": "object", "additionalProperties": {}, "examples": [_PUBLIC_KEY]},
        },
    },
    "WebAuthnCredentialCreationOptions": {
        "type": "object",
        "description": "For `PublicKeyCredential.parseCreationOptionsFromJSON()`.",
        "required": ["creation_options"],
        "properties": {
            "creation_options": {"type": "object", "additionalProperties": {}, "examples": [_PUBLIC_KEY]},
        },
    },
}
#: Its examples are made anew at each start.
SOMEBODY = {"id": "01a1fd19-5c37-7fea-93a3-387aa748e341", "display": "ada", "email": "ada@acme.example"}
#: What an object has beside what it says.
ADDED: Json = {
    "AccountConfiguration": {"authentication_method": _TEXT},
    "MFAConfiguration": {"passkey_login_enabled": _TRUTH},
}


@cache
def specification() -> Json:
    """Return its document, with our names for components; who changes it, copies it first."""
    text = files("allauth.headless.spec").joinpath("doc/openapi.yaml").read_bytes()
    said: Json = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
    specify_user(said)
    schemas = said["components"]["schemas"]
    schemas |= CORRECTED
    for name, example in SOMEBODY.items():
        schemas["User"]["properties"][name]["example"] = example
    del schemas["ConfigurationResponse"]["example"]
    for name, properties in ADDED.items():
        schemas[name]["properties"] |= properties
    modern: Json = _modern(said)
    components = {f"{PREFIX}{name}": schema for name, schema in modern["components"]["schemas"].items()}
    return {**modern, "components": {**modern["components"], "schemas": components}}


def operation(address: str, method: str) -> Json:
    """Return what it says of an address below its `/v1/`."""
    found: Json = specification()["paths"][f"/_allauth/{{client}}/v1/{address}"][method]
    return found


def response(name: str) -> Json:
    """Return an answer without its examples, which are made as all are."""
    found: Json = specification()["components"]["responses"][name]
    return {**found, "content": {kind: {"schema": said["schema"]} for kind, said in found["content"].items()}}


def schemas_for(part: Any) -> Json:
    """Return the components that are pointed at from here, and from these."""
    found: Json = {}
    waiting = [part]
    while waiting:
        for name in _named_in(waiting.pop()):
            if name not in found and name in specification()["components"]["schemas"]:
                found[name] = specification()["components"]["schemas"][name]
                waiting.append(found[name])
    return found


def _named_in(part: Any) -> list[str]:
    if isinstance(part, list):
        return [name for inner in part for name in _named_in(inner)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"].removeprefix(COMPONENT)] if isinstance(part.get("$ref"), str) else []
    return own + [name for inner in part.values() for name in _named_in(inner)]


def _modern(part: Any) -> Any:
    """Return a part of a document of OpenAPI 3.0 as one of 3.1: JSON Schema, without `nullable`, `example` and lists of one."""
    if isinstance(part, list):
        return [_modern(inner) for inner in part]
    if isinstance(part, str):
        return part.replace(COMPONENT, f"{COMPONENT}{PREFIX}") if part.startswith(COMPONENT) else part.strip()
    if not isinstance(part, dict):
        return part
    made = {name: _modern(inner) for name, inner in part.items() if name not in ("nullable", "example")}
    if "example" in part:
        made["examples"] = [part["example"]]
    if isinstance(made.get("enum"), list) and len(made["enum"]) == 1:
        made["const"] = made.pop("enum")[0]
    return {"anyOf": [made, {"type": "null"}]} if part.get("nullable") is True else made

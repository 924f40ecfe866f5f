"""What the OpenAPI document says of every operation; it is made here as `make openapi` makes it, without a database."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has none

from tests.served import ROOT

Json = dict[str, Any]
JSON = "application/json"
SCHEMES = {"apiKey", "basic", "bearer", "session"}
OF_BROWSERS = {"session", "csrf"}
HEADLESS = (
    "/api/v1/config",
    "/api/v1/auth/",
    "/api/v1/account/",
)  # allauth's headless API, for pages on the tenant's host
PROBLEMS = ("Problem", "HeadlessProblem", "HeadlessUnauthorized", "HeadlessNoApp")


@pytest.fixture(scope="module")
def document() -> Json:
    """The part that is the same for all tenants; a warning of drf-spectacular's fails here."""
    from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
    from drf_spectacular.generators import SchemaGenerator

    reset_generator_stats()
    made: Json = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, "drf-spectacular warns; run tools/openapi to see of what"
    return made


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, methods in document["paths"].items():
        yield from ((f"{method.upper()} {path}", one) for method, one in methods.items())


def bodies(operation: Json) -> Iterator[tuple[str, Json]]:
    """Yield what goes in and what comes out as JSON."""
    found = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for name, body in found.items():
        if JSON in body.get("content", {}):
            yield name, body["content"][JSON]


def test_each_operation_has_its_name_its_summary_and_its_security(document: Json) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(names) == len(set(names))
    assert set(document["components"]["securitySchemes"]) == SCHEMES | OF_BROWSERS
    assert [name for name, operation in operations(document) if not operation.get("summary")] == []
    for name, operation in operations(document):
        offered = {scheme for one in operation.get("security", []) for scheme in one}
        if name.split()[1].startswith(HEADLESS):
            assert offered <= OF_BROWSERS, name
            assert ("csrf" in offered) == (not name.startswith("GET")), name
            continue
        is_open = name.split()[1].startswith(("/api/token/", "/.well-known/")) or name.endswith("/invitations/accept/")
        assert offered == (set() if is_open else SCHEMES), name


def test_each_way_to_fail_is_a_problem(document: Json) -> None:
    for name, operation in operations(document):
        failures = {status: said for status, said in operation["responses"].items() if status >= "400"}
        assert {"403", "404", "429", "500", "503"} <= failures.keys(), name
        for status, said in failures.items():
            component = said["$ref"].removeprefix("#/components/responses/")
            content = document["components"]["responses"][component]["content"]["application/problem+json"]
            assert content["schema"]["$ref"].rpartition("/")[2] in PROBLEMS, name
            assert [example["value"]["status"] for example in content["examples"].values()] == [int(status)], name


def test_each_problem_is_one_of_ours_and_has_an_example_that_fits_it(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for problem in PROBLEMS:
        assert set(schemas[problem]["required"]) >= set(schemas["Problem"]["required"])
        assert schemas[problem]["properties"].keys() >= schemas["Problem"]["properties"].keys()
    for name, response in document["components"]["responses"].items():
        content = response["content"]["application/problem+json"]
        schema = {**content["schema"], "components": document["components"]}
        for example in content["examples"].values():
            assert list(Draft202012Validator(schema).iter_errors(example["value"])) == [], name


def test_each_body_has_an_example_that_fits_it(document: Json) -> None:
    wrong = []
    for name, operation in operations(document):
        for which, content in bodies(operation):
            schema = {**content["schema"], "components": document["components"]}
            values = [example["value"] for example in content["examples"].values()]
            found = [error.message for value in values for error in Draft202012Validator(schema).iter_errors(value)]
            wrong += [f"{name} {which}: {message[:200]}" for message in (found if values else ["no example"])]

    assert wrong == [], "\n".join(wrong)


def test_each_parameter_says_what_it_is_held_to_and_has_an_example_that_fits(document: Json) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            assert schema.get("type"), (name, parameter["name"])
            assert Draft202012Validator(schema).is_valid(parameter["example"]), (name, parameter["name"])


def test_every_route_of_the_api_is_in_it(document: Json) -> None:
    from tests.permission_matrix import API, MATRIX

    said = {operation.split()[0] + " " + _shape(operation.split()[1]) for operation, _ in operations(document)}
    undocumented = {"registry:docs"}  # a page
    slashless = "-slashless"

    missing = [
        str(row)
        for row in MATRIX
        if row.path.startswith(API) and row.route not in undocumented and not row.route.endswith(slashless)
        if f"{row.method} {_shape_of(row.route)}" not in said
    ]
    assert missing == []


def test_of_the_headless_api_what_is_mounted_is_in_it_and_nothing_else(document: Json) -> None:
    from django.urls import get_resolver

    from tests.permission_matrix import named

    views = {
        f"/{pattern.pattern}": pattern.callback.view_class  # type: ignore[attr-defined]  # as_view sets it
        for name, pattern in named(get_resolver().url_patterns) if name.startswith("headless:")
    }  # fmt: skip
    methods = {
        f"{method.upper()} {path}"
        for path, view in views.items() for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, method) and method in view.http_method_names
    }  # fmt: skip

    assert {name for name, _ in operations(document) if name.split()[1].startswith(HEADLESS)} == methods
    assert len(methods) > 30


def test_each_component_is_pointed_at(document: Json) -> None:
    """Allauth's document has more than is mounted here."""
    text = json.dumps(document)

    assert [
        name
        for kind in ("schemas", "responses") for name in document["components"][kind]
        if name.startswith("Headless") and f'"#/components/{kind}/{name}"' not in text
    ] == []  # fmt: skip


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _shape_of(route: str) -> str:
    """Return the address of a route with its parts left out."""
    from django.urls import get_resolver

    from tests.permission_matrix import named

    pattern = next(found for name, found in named(get_resolver().url_patterns) if name == route)
    return "/" + re.sub(r"<[^>]+>", "{}", str(pattern.pattern))


def test_the_snapshot_is_held_and_the_way_out_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "openapi.yaml"

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "tools" / "openapi"), "--file", str(kept), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert run().returncode == 0
    assert run("--check").returncode == 0
    kept.write_text(kept.read_text().replace("operationId: models_list", "operationId: models"))
    refused = run("--check")

    assert refused.returncode == 1
    assert "make openapi" in refused.stderr
    assert "+      operationId: models_list" in refused.stdout

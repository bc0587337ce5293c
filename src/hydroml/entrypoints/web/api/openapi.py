"""The description of the API: what ninja knows of it, and what it cannot know."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "In words."},
        "instance": {"type": "string", "description": "The id of this request, to be quoted in a report."},
        "errors": {
            "type": "array",
            "description": "For refused input: each place.",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "code"],
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "code": {"type": "string"},
                    "at": {
                        "type": "object",
                        "description": "The part of a formula or query it is about, in characters counted from 0.",
                        "properties": {"start": {"type": "integer"}, "end": {"type": "integer"}},
                    },
                },
            },
        },
    },
}
_REFUSALS = {
    "401": "Nobody is logged in.",
    "403": "The role or the token's scope is too small, or the CSRF token is missing.",
    "404": "There is no such thing, or it is somebody else's.",
    "409": "It cannot be done in the state things are in.",
    "412": "It was changed since the revision in If-Match.",
    "413": "It exceeds a limit.",
    "422": "The input is refused; `errors` names each place.",
    "429": "Too many requests.",
    "503": "Something this needs does not answer just now.",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag last seen; 412 when it is no longer the current one.",
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "The same key again gives the same answer, and nothing is done twice.",
}
_EVENTS = {
    "get": {
        "operationId": "events",
        "summary": "Events",
        "description": "Server-sent events: `job`, with the job as JSON and a growing id. Comments keep it open.",
        "tags": ["jobs"],
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "Resumes after this event.",
            }
        ],
        "responses": {
            "200": {"description": "A stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        },
        "security": [{"BearerAuth": []}, {"SessionAuth": []}],
    }
}
_EDITED = ("projects", "sources", "sessions", "experiments", "models")


class Api(NinjaAPI):
    """Adds refusals, conditional edits, idempotency and the event stream to what ninja writes by itself."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        schema["components"]["schemas"]["Problem"] = _PROBLEM
        schema["paths"]["/api/v1/events"] = _EVENTS
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                self._complete(path, method, operation)
        return schema

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)

    @staticmethod
    def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
        parameters = operation.setdefault("parameters", [])
        changes = method in ("post", "put", "patch", "delete")
        edits = path.removeprefix("/api/v1/").split("/")[0] in _EDITED and "{" in path
        codes = {"401", "429", "503"}
        codes |= {"404"} if "{" in path else set()
        codes |= {"403", "409", "413"} if changes else set()
        codes |= {"422"} if parameters or "requestBody" in operation else set()
        if edits and (method in ("patch", "put") or (path.startswith("/api/v1/sessions") and changes)):
            parameters.append(_IF_MATCH)
            codes.add("412")
        if method == "post":
            parameters.append(_IDEMPOTENCY)
        answers = {str(code): answer for code, answer in operation["responses"].items()}
        for code in sorted(codes):
            answers[code] = {
                "description": _REFUSALS[code],
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        if "202" in answers or "201" in answers:
            answers["202" if "202" in answers else "201"]["headers"] = {
                "Location": {"schema": {"type": "string"}, "description": "Where the job, or the new thing, is."}
            }
        operation["responses"] = answers


class Docs(DocsBase):
    """The description as one plain page: no script, nothing from elsewhere."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema()
        groups: dict[str, list[dict[str, Any]]] = {}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                shown = {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("description") or operation.get("summary"),
                    "parameters": [_parameter(p) for p in operation["parameters"] if p["in"] != "path"],
                    "body": _body(operation),
                    "answers": [
                        {"code": code, "text": answer["description"], "schema": _schema_name(answer)}
                        for code, answer in operation["responses"].items()
                    ],
                }
                groups.setdefault(operation.get("tags", ["other"])[0], []).append(shown)
        schemas = [
            {
                "name": name,
                "text": one.get("description", ""),
                "properties": [
                    {"name": key, "type": _type(value), "text": value.get("description", "")}
                    for key, value in one.get("properties", {}).items()
                ],
                "values": ", ".join(str(value) for value in one.get("enum", [])),
            }
            for name, one in sorted(schema["components"]["schemas"].items())
        ]
        return render(request, "api/docs.html", {"info": schema["info"], "groups": groups, "schemas": schemas})


def _parameter(parameter: dict[str, Any]) -> dict[str, str]:
    schema = parameter["schema"]
    default = schema.get("default")
    return {
        "name": parameter["name"],
        "in": parameter["in"] + (", required" if parameter.get("required") else ""),
        "text": parameter.get("description") or schema.get("description", ""),
        "default": "" if default in (None, "") else str(default),
    }


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "; ".join(f"{kind}: {_type(value.get('schema', {}))}" for kind, value in content.items())


def _schema_name(answer: dict[str, Any]) -> str:
    for kind, value in answer.get("content", {}).items():
        return _type(value["schema"]) if kind == "application/json" else str(kind)
    return ""


def _type(schema: dict[str, Any]) -> str:
    """A short name of a JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[key]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and schema.get("properties"):
        return schema.get("title") or "{" + ", ".join(schema["properties"]) + "}"
    return str(schema.get("format") or kind)

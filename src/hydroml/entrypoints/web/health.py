"""Is the process alive, and does all it needs answer? For supervisors and load balancers; says nothing more."""

from django.http import HttpRequest, HttpResponse

from hydroml.entrypoints.checks import service_checks
from hydroml.entrypoints.web.api.common import json_response


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return json_response({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Database, broker and storage answer; 503 when one does not."""
    found = {check.name: check.ok for check in service_checks()}
    ready = all(found.values())
    document = {
        "status": "ok" if ready else "unavailable",
        "checks": {k: "ok" if v else "failed" for k, v in found.items()},
    }
    return json_response(document, 200 if ready else 503)

"""The API as a whole."""

from hydroml.entrypoints.observability import version
from hydroml.entrypoints.web import errors
from hydroml.entrypoints.web.api import (
    demo,
    experiments,
    idempotency,
    jobs,
    me,
    meta,
    models,
    projects,
    runs,
    sessions,
    sources,
    versions,
)
from hydroml.entrypoints.web.api.auth import AUTH
from hydroml.entrypoints.web.api.common import JsonRenderer
from hydroml.entrypoints.web.api.openapi import Api, Docs

api = Api(
    title="HydroML",
    version=version(),
    description="From a raw table to a model that can be trusted. Send `Authorization: Bearer <token>`; "
    "`hydroml create_token` or the settings page make one.",
    auth=AUTH,
    renderer=JsonRenderer(),
    docs=Docs(),
    urls_namespace="api",
)
errors.install(api)
idempotency.install(api.default_router)

for prefix, router in (
    ("/projects", projects.router),
    ("", sources.router),
    ("/versions", versions.router),
    ("", sessions.router),
    ("", experiments.router),
    ("", runs.router),
    ("", models.router),
    ("/jobs", jobs.router),
    ("/me", me.router),
    ("/demo", demo.router),
    ("", meta.router),
):
    api.add_router(prefix, router)

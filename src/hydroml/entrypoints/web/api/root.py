"""The API as a whole."""

from hydroml.entrypoints.observability import version
from hydroml.entrypoints.web import errors
from hydroml.entrypoints.web.api import (
    activity,
    charts,
    comparisons,
    demo,
    experiments,
    exports,
    gallery,
    histories,
    idempotency,
    jobs,
    lineage,
    logged_runs,
    me,
    meta,
    models,
    notifications,
    presets,
    projects,
    quality,
    queries,
    recipes,
    reports,
    rules,
    run_table,
    runs,
    sessions,
    sources,
    suites,
    uploads,
    versions,
    views,
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
    ("", uploads.router),
    ("/versions", versions.router),
    ("", sessions.router),
    ("", histories.router),
    ("", recipes.router),
    ("", experiments.router),
    ("", run_table.router),
    ("", comparisons.router),
    ("", presets.router),
    ("", gallery.router),
    ("", runs.router),
    ("", logged_runs.router),
    ("", reports.router),
    ("", suites.router),
    ("", models.router),
    ("/jobs", jobs.router),
    ("/me", me.router),
    ("/me", notifications.router),
    ("", quality.router),
    ("", rules.router),
    ("", queries.router),
    ("", exports.router),
    ("", charts.router),
    ("", views.router),
    ("", activity.router),
    ("", lineage.router),
    ("/demo", demo.router),
    ("", meta.router),
):
    api.add_router(prefix, router)

"""All addresses."""

from django.urls import include, path

from hydroml.entrypoints.web import health
from hydroml.entrypoints.web.api.events import events
from hydroml.entrypoints.web.api.root import api
from hydroml.entrypoints.web.mlflow import mlflow, to_pages

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/events", events, name="events"),
    path("api/v1/", api.urls),
    path("mlflow", to_pages),
    path("mlflow/", mlflow, name="mlflow"),
    path("mlflow/<path:path>", mlflow),
    path("", include("hydroml.entrypoints.web.accounts.urls")),
    path("", include("hydroml.entrypoints.web.pages.urls")),
]

handler400 = "hydroml.entrypoints.web.errors.bad_request"
handler403 = "hydroml.entrypoints.web.errors.forbidden"
handler404 = "hydroml.entrypoints.web.errors.not_found"
handler500 = "hydroml.entrypoints.web.errors.server_error"

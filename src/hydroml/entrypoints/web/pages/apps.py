"""The Django application of the pages."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Registers templates, template tags and the check that the front end was built."""

    name = "hydroml.entrypoints.web.pages"
    label = "pages"

    def ready(self) -> None:
        from hydroml.entrypoints.web.pages import checks  # noqa: F401  (registers itself with Django)

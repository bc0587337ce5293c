"""Django system checks of the pages."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from hydroml.entrypoints.web.pages.assets import BuildMissingError, load_manifest


@register()
def front_end_is_built(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Say at start, not in the browser, that the front end was never built."""
    try:
        load_manifest()
    except BuildMissingError as error:
        return [Warning(str(error), hint="Run `npm ci && npm run build` in the front end's folder.", id="pages.W001")]
    return []

"""Django system checks of the pages."""

from collections.abc import Sequence
from typing import Any

from django.core import checks

from hydroml.entrypoints.web.pages.assets import BuildMissingError, load_manifest


@checks.register()
def front_end_is_built(app_configs: Sequence[Any] | None, **_: Any) -> list[checks.CheckMessage]:
    """Say at start, not in the browser, that the front end was never built."""
    try:
        load_manifest()
    except BuildMissingError as error:
        hint = "Run `npm ci && npm run build` in the front end's folder."
        return [checks.Warning(str(error), hint=hint, id="pages.W001")]
    return []

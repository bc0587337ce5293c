"""Logs, and reports of errors to Sentry: the same for the web, the workers and the commands."""

import logging
import logging.config
import sys
from collections.abc import Callable, Mapping, MutableMapping
from importlib import metadata
from typing import Any

import structlog

from hydroml.entrypoints.settings import Settings

_PROCESSORS: tuple[Callable[[Any, str, MutableMapping[str, Any]], Any], ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

_SECRET_WORDS = ("authorization", "cookie", "csrf", "dsn", "password", "secret", "session", "token")
_HIDDEN = "[hidden]"


def configure_logging(settings: Settings) -> None:
    """One line for each event on standard error: JSON for machines, or text for people.

    What is bound with `structlog.contextvars` (`request_id`, `job_id`) stands in every line, also in those that
    libraries write with the standard library.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    before = (structlog.processors.format_exc_info,) if settings.log_format == "json" else ()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *before, renderer],
                    "foreign_pre_chain": [*_PROCESSORS, structlog.stdlib.ExtraAdder(allow=("job_id", "request_id"))],
                }
            },
            "handlers": {"line": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["line"], "level": settings.log_level},
            "loggers": {
                # Our own middleware writes a line for each request, with its id and without its query.
                "uvicorn.access": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                "django.server": {"level": "WARNING"},
                "botocore": {"level": "WARNING"},
                "alembic": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def configure_sentry(settings: Settings, transport: Any = None) -> bool:
    """Starts to report errors, if the installation names a Sentry; whether it does.

    No personal data is sent: no bodies, no cookies, no addresses, no local variables (they may hold people's tables).
    """
    if not settings.sentry_dsn and transport is None:
        return False
    import sentry_sdk  # costs a third of a second, which those without a Sentry need not pay
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import ignore_logger
    from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        transport=transport,
        release=f"hydroml@{version()}",
        environment="debug" if settings.debug else "production",
        integrations=[DjangoIntegration(), CeleryIntegration(), SqlalchemyIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=0.0,
        before_send=scrub,
    )
    ignore_logger("hydroml.errors")  # what stands there is reported by itself, with its traceback
    return True


def version() -> str:
    """The installed version of HydroML."""
    try:
        return metadata.version("hydroml")
    except metadata.PackageNotFoundError:  # run from the sources
        return "0"


def report(error: BaseException) -> None:
    """Reports an error that was caught, where a Sentry is configured."""
    if "sentry_sdk" in sys.modules:
        sys.modules["sentry_sdk"].capture_exception(error)


def scrub(event: Any, hint: Mapping[str, Any]) -> Any:
    """Removes whatever could name a person or open a door from an event before it is sent."""
    request = event.get("request")
    if request:
        for part in ("cookies", "data", "env", "query_string"):
            request.pop(part, None)
        request["headers"] = {
            name: value for name, value in (request.get("headers") or {}).items() if not _is_secret(name)
        }
    event.pop("user", None)
    event.pop("server_name", None)
    event["extra"] = _without_secrets(event.get("extra") or {})
    event["breadcrumbs"] = {}
    return event


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _HIDDEN if _is_secret(str(key)) else _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_WORDS) or lowered in ("x-forwarded-for", "x-real-ip")

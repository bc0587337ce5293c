"""Django's settings, all of them derived from ours."""

from pathlib import Path
from typing import Any

from hydroml.entrypoints.observability import configure_logging, configure_sentry
from hydroml.entrypoints.settings import Settings

HYDROML = Settings()
"""What was set from outside; views that need a setting of ours read it here."""

HYDROML_LIMITS: dict[str, int] = {}
"""Other numbers for the limits in `limits.py`, by name; tests use it."""

WEB = Path(__file__).resolve().parent
MEBIBYTE = 2**20

DEBUG = HYDROML.debug
SECRET_KEY = HYDROML.secret_key.get_secret_value()
ALLOWED_HOSTS = list(HYDROML.allowed_hosts)
ROOT_URLCONF = "hydroml.entrypoints.web.urls"
ASGI_APPLICATION = "hydroml.entrypoints.web.asgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "hydroml.entrypoints",  # the management commands
    "hydroml.entrypoints.web.accounts",
    "hydroml.entrypoints.web.pages",
]

MIDDLEWARE = [
    "hydroml.entrypoints.web.middleware.frame",
    "hydroml.entrypoints.web.static_files.StaticFiles",
    "hydroml.entrypoints.web.middleware.api_answers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [WEB / "api" / "templates"],  # no application: Django would take its `models` for tables
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database and cache. Identity is all that Django stores; everything else is Alembic's.

DATABASES = {"default": HYDROML.django_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": HYDROML.cache_url,
        "KEY_PREFIX": "web",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

# Identity

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# Sessions and forms

SESSION_COOKIE_NAME = "hydroml_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HYDROML.https
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HYDROML.https
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}"
    for host in HYDROML.allowed_hosts
    if HYDROML.https and host != "*"
]
if HYDROML.https and HYDROML.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # the middleware removes it from everybody else

# Bodies. Uploads bypass all of this: they are streamed to storage (`uploads.py`).

DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * MEBIBYTE
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * MEBIBYTE
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# Static files. Vite has put hashes into the names and compressed files beside them.

STATIC_URL = "/static/"
STATICFILES_DIRS = [directory] if (directory := WEB / "static").is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = HYDROML.debug
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"-[A-Za-z0-9_-]{8}\.[a-z0-9]+$"

# Language and time: the pages show times in the reader's zone by themselves.

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

LOGGING_CONFIG = None
configure_logging(HYDROML)
configure_sentry(HYDROML)

"""Tags the templates use: the built front end, icons, the theme that was chosen."""

import logging

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from hydroml.entrypoints.web.pages.assets import BuildMissingError, address, files_of

register = template.Library()
logger = logging.getLogger(__name__)

THEMES = ("light", "dark")


def _request(context: Context) -> HttpRequest | None:
    request = context.get("request")
    return request if isinstance(request, HttpRequest) else None


@register.simple_tag(takes_context=True)
def nonce(context: Context) -> str:
    """This answer's content-security-policy nonce, set on the request by the web middleware."""
    return str(getattr(_request(context), "csp_nonce", ""))


@register.simple_tag(takes_context=True)
def vite(context: Context, entry: str) -> SafeString:
    """Style sheets, preloads and the script of a built entry, such as `src/main.js`."""
    try:
        script, styles, preloads = files_of(entry)
    except BuildMissingError as error:
        logger.warning("%s", error)
        return mark_safe("<!-- the front end is not built -->")
    token = nonce(context)
    return (
        format_html_join("\n", '<link rel="stylesheet" href="{}" nonce="{}">', ((address(s), token) for s in styles))
        + format_html_join(
            "\n", '<link rel="modulepreload" href="{}" nonce="{}">', ((address(p), token) for p in preloads)
        )
        + format_html('<script type="module" src="{}" nonce="{}"></script>', address(script), token)
    )


@register.simple_tag
def vite_styles(entry: str) -> SafeString:
    """Only the style sheets: for the page of an internal error, which must not depend on a request."""
    try:
        _, styles, _ = files_of(entry)
    except BuildMissingError:
        return mark_safe("")
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((address(style),) for style in styles))


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """One icon of the sprite at the top of the page."""
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', f"i {classes}".strip(), name)


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """The theme to render with, `light` or `dark`, or nothing to follow the system: so no page flashes."""
    request = _request(context)
    if request is None:
        return ""
    chosen = request.COOKIES.get("hydroml_theme") or str(getattr(getattr(request, "user", None), "theme", "") or "")
    return chosen if chosen in THEMES else ""


@register.simple_tag(takes_context=True)
def initials(context: Context) -> str:
    """Up to two letters that stand for the person who is logged in."""
    user = getattr(_request(context), "user", None)
    name = str(getattr(user, "username", "") or "")
    parts = [part for part in name.replace(".", " ").replace("_", " ").replace("-", " ").split() if part]
    letters = parts[0][0] + parts[-1][0] if len(parts) > 1 else name[:2]
    return letters.upper()

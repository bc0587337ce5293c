"""Log in, log out, sign up, settings: plain forms, rendered on the server."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hydroml.entrypoints.web.accounts.forms import ChangePasswordForm, LoginForm, ProfileForm, SignupForm
from hydroml.entrypoints.web.limits import LOGIN_FAILURES, LOGIN_FAILURES_OF_ADDRESS, SIGNUPS, client_address


class Login(LoginView):
    """After too many failures for a name from one address, or from one address at all, it waits."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"signup_open": settings.HYDROML.signup_open, "title": "Log in", "page": "login"}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuses without looking at the password once the limit is reached."""
        address, who = self._keys(request)
        wait = LOGIN_FAILURES.exhausted(who) or LOGIN_FAILURES_OF_ADDRESS.exhausted(address)
        if wait:
            form = self.authentication_form(request, data=request.POST, refusal=_too_many(wait))
            response = render(request, self.template_name, self.get_context_data(form=form), status=429)
            response["Retry-After"] = str(wait)
            return response
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: BaseForm) -> HttpResponse:
        LOGIN_FAILURES.forget(self._keys(self.request)[1])
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        address, who = self._keys(self.request)
        LOGIN_FAILURES.count(who)
        LOGIN_FAILURES_OF_ADDRESS.count(address)
        answer: HttpResponse = super().form_invalid(form)
        answer.status_code = 422
        return answer

    @staticmethod
    def _keys(request: HttpRequest) -> tuple[str, str]:
        address = client_address(request)
        return address, f"{address} {request.POST.get('username', '').strip().lower()[:150]}"


class Logout(LogoutView):
    """By POST alone, so that no link logs anybody out."""

    http_method_names = ("post", "options")
    next_page = "/login"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def signup(request: HttpRequest) -> HttpResponse:
    """A new account, where the installation allows it."""
    if request.user.is_authenticated:
        return redirect("/")
    context: dict[str, Any] = {"signup_open": settings.HYDROML.signup_open, "title": "Sign up", "page": "signup"}
    if not settings.HYDROML.signup_open:
        return render(request, "accounts/signup.html", context, status=403 if request.method == "POST" else 200)
    wait = SIGNUPS.exhausted(client_address(request)) if request.method == "POST" else 0
    form = SignupForm(request.POST if request.method == "POST" else None, refusal=_too_many(wait) if wait else "")
    if request.method == "POST" and form.is_valid():
        SIGNUPS.count(client_address(request))
        user = form.save()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("/")
    return render(request, "accounts/signup.html", context | {"form": form}, status=_status(form, wait))


@sensitive_post_parameters()
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Profile and password; the tokens on the same page come from the API.

    The two forms post to the same address; the button `change_password` says which it is.
    """
    action = ""
    if request.method == "POST":
        action = "password" if "change_password" in request.POST else "profile"
    profile = ProfileForm(request.POST if action == "profile" else None, instance=request.user)
    password = ChangePasswordForm(request.user, request.POST if action == "password" else None)
    if action == "profile" and profile.is_valid():
        profile.save()
        messages.success(request, "Your settings are saved.")
        return redirect("/settings")
    if action == "password" and password.is_valid():
        password.save()
        update_session_auth_hash(request, password.user)  # this session stays, all others end
        messages.success(request, "Your password is changed.")
        return redirect("/settings")
    if profile.is_bound:
        request.user.refresh_from_db()  # the refused values must not show in the rest of the page
    context = {
        "title": "Settings",
        "page": "settings",
        "section": "settings",
        "crumbs": [],
        "ids": {},
        "form": profile,
        "password_form": password,
    }
    return render(request, "accounts/settings.html", context, status=422 if action else 200)


def _status(form: BaseForm, wait: int) -> int:
    if wait:
        return 429
    return 422 if form.is_bound else 200


def _too_many(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."

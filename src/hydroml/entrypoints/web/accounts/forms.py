"""The forms of the account pages."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError

from hydroml.entrypoints.web.accounts.models import User

PASSWORD_LENGTH = 256
"""Hashing is slow on purpose, so what is hashed must have a bound."""


def _bound_passwords(form: forms.Form) -> None:
    for field in form.fields.values():
        if isinstance(field.widget, forms.PasswordInput):
            field.max_length = PASSWORD_LENGTH
            field.validators.append(_short_enough)
            field.widget.attrs["maxlength"] = PASSWORD_LENGTH
            if "<li>" in field.help_text:  # Django says them as a list, our pages as sentences
                field.help_text = " ".join(password_validators_help_texts())


def _short_enough(password: str) -> None:
    if len(password) > PASSWORD_LENGTH:
        raise ValidationError(f"A password has at most {PASSWORD_LENGTH} characters.", code="password_too_long")


class LoginForm(AuthenticationForm):
    """Username and password; says no more than that they do not match. With a `refusal` it does not even look."""

    def __init__(self, *args: Any, refusal: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal = refusal
        _bound_passwords(self)

    def clean(self) -> dict[str, Any]:
        """A password that is refused already, for its length say, is not tried."""
        if self._refusal:
            raise ValidationError(self._refusal, code="too_many_attempts")
        if self.errors:
            return dict(self.cleaned_data)
        return dict(super().clean())


class SignupForm(BaseUserCreationForm):
    """A new account."""

    class Meta:
        model = User
        fields = ("username", "email")

    def __init__(self, *args: Any, refusal: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal = refusal
        _bound_passwords(self)

    def clean(self) -> dict[str, Any]:
        """A refusal stands above all other errors."""
        if self._refusal:
            raise ValidationError(self._refusal, code="too_many_attempts")
        return dict(super().clean() or self.cleaned_data)

    def clean_username(self) -> str:
        """Names that differ in case alone would be taken for each other."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("A user with that username already exists.", code="unique")
        return username


class ProfileForm(forms.ModelForm):
    """What a person may change about the account."""

    class Meta:
        model = User
        fields: tuple[str, ...] = ("email", "time_zone")

    def clean_time_zone(self) -> str:
        """A name of the time zone database."""
        name: str = self.cleaned_data["time_zone"]
        if name not in available_timezones():
            raise ValidationError("This is not a time zone, such as Europe/Paris.", code="time_zone")
        return name


class AccountForm(ProfileForm):
    """All of it, the theme included, which the page sets by itself."""

    class Meta(ProfileForm.Meta):
        fields = ("email", "theme", "time_zone")


class ChangePasswordForm(PasswordChangeForm):
    """The old password once, the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)  # one form of several on its page
        _bound_passwords(self)

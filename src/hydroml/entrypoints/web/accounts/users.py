"""Users as the other entrypoints need them: made, and found by name or id."""

import secrets
from collections.abc import Collection, Mapping
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from hydroml.domain.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from hydroml.domain.projects import UserId
from hydroml.entrypoints.web.accounts.models import User


class UserNotFoundError(NotFoundError):
    """Nobody active has that name or id."""


def create(username: str, password: str | None = None, *, admin: bool = False) -> tuple[User, str]:
    """The user and the password, which is made up when None is given.

    Raises ConflictError for a name that is taken, and InvalidInputError for a name or password that is refused.
    """
    chosen = secrets.token_urlsafe(15) if password is None else password
    user = User(username=username, is_staff=admin, is_superuser=admin)
    try:
        user.set_unusable_password()
        user.clean_fields()
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidInputError(" ".join(error.messages), _faults(error)) from None
    if User.objects.filter(username__iexact=username).exists():
        raise ConflictError(f"there is a user “{username}” already")
    user.set_password(chosen)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise ConflictError(f"there is a user “{username}” already") from None
    return user, chosen


def named(username: str) -> User:
    """The active user of that name. Raises UserNotFoundError."""
    storable = username.isprintable()  # the database refuses to look for some characters
    user: User | None = User.objects.filter(username=username, is_active=True).first() if storable else None
    if user is None:
        raise UserNotFoundError(f"there is no user “{username}”")
    return user


def by_id(user_id: UUID) -> User:
    """The active user of that id. Raises UserNotFoundError."""
    user: User | None = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise UserNotFoundError(f"user {user_id} does not exist")
    return user


def names(user_ids: Collection[UserId]) -> Mapping[UserId, str]:
    """The names of those that exist."""
    return dict(User.objects.filter(pk__in=set(user_ids)).values_list("pk", "username"))


def _faults(error: ValidationError) -> tuple[Fault, ...]:
    if hasattr(error, "error_dict"):
        return tuple(
            Fault((name,), message, one.code or "invalid")
            for name, found in error.error_dict.items()
            for one in found
            for message in one.messages
        )
    return tuple(
        Fault(("password",), message, one.code or "invalid") for one in error.error_list for message in one.messages
    )

"""The user. The domain knows no more of it than its id."""

from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.db import models


class Theme(models.TextChoices):
    """What a page looks like; `system` follows the machine it is seen on."""

    SYSTEM = "system", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class User(AbstractUser):
    """Somebody who logs in. Its key is the domain's `UserId`."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    theme = models.CharField(max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")

    @property
    def is_admin(self) -> bool:
        """Whether this person administers the installation."""
        return bool(self.is_active and self.is_superuser)

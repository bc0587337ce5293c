"""Names and keys that become parts of paths."""

import re

from hydroml.application.ports.storage import BlobNotFoundError
from hydroml.domain.errors import InvalidInputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,199}")
_KEY = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """The name of an upload or a scratch folder; raises InvalidInputError for anything but letters, digits and -."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError.at("name", msg="letters, digits and - only", code="name")
    return name


def check_key(key: str) -> str:
    """The key of a blob; raises BlobNotFoundError for what cannot be one."""
    if not _KEY.fullmatch(key):
        raise BlobNotFoundError(key)
    return key

"""The container of this process: built at its first use, and so after a worker has forked."""

from functools import cache

from hydroml.entrypoints.container import Container
from hydroml.entrypoints.settings import Settings


@cache
def container() -> Container:
    """Entrypoints call this; nothing else does."""
    return Container(settings=Settings())

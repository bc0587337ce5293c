"""The in-memory twin of every port: what services are tested on, held to the same contracts as the real adapters."""

from hydroml.adapters.memory.clock import InMemoryClock
from hydroml.adapters.memory.jobs import InMemoryBell, InMemoryJobQueue
from hydroml.adapters.memory.storage import InMemoryBlobStore, InMemoryScratch
from hydroml.adapters.memory.store import InMemoryStore
from hydroml.adapters.memory.unit_of_work import InMemoryUnitOfWork

__all__ = [
    "InMemoryBell",
    "InMemoryBlobStore",
    "InMemoryClock",
    "InMemoryJobQueue",
    "InMemoryScratch",
    "InMemoryStore",
    "InMemoryUnitOfWork",
]

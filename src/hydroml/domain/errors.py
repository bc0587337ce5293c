"""Errors with names: raised where the fault is known, turned into HTTP and exit codes in one table each."""

from dataclasses import dataclass


class DomainError(Exception):
    """A rule said no; the message may be shown to the person who asked."""


class NotFoundError(DomainError):
    """It does not exist, or it is not the asker's to see: both look the same from outside."""


class ConflictError(DomainError):
    """It cannot be done in the state things are in."""


class ConcurrentUpdateError(ConflictError):
    """Somebody else changed the same object meanwhile; read it again."""


class StaleRevisionError(DomainError):
    """The asker named a revision that is no longer the current one."""


class ForbiddenError(DomainError):
    """The asker may see the object but not do this to it."""


class TooLargeError(DomainError):
    """It exceeds a stated limit."""


class UnavailableError(DomainError):
    """Something HydroML needs does not answer just now; trying again later may help."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where it is, what is wrong, and a code for machines."""

    loc: tuple[str | int, ...]
    msg: str
    code: str
    span: tuple[int, int] | None = None
    """The part of a formula or query it is about: its first character, counted from 0, and the one behind its last."""


class InvalidInputError(DomainError):
    """An input breaks rules; `faults` names each place."""

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults

    @classmethod
    def at(
        cls, *loc: str | int, msg: str, code: str = "invalid", span: tuple[int, int] | None = None
    ) -> "InvalidInputError":
        """The error for a single fault at `loc`."""
        return cls(msg, (Fault(loc, msg, code, span),))

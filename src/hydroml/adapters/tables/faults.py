"""DuckDB's errors in words: no exception and no SQL of the engine reaches a person."""

import re

import duckdb

from hydroml.adapters.tables.text_sizes import TOO_LONG
from hydroml.domain.errors import InvalidInputError, TooLargeError, UnavailableError

_TYPE_WORDS = {
    "VARCHAR": "text",
    "STRING_LITERAL": "text",
    "INTEGER_LITERAL": "integer",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "UBIGINT": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "TIMESTAMP": "timestamp",
    "INTERVAL": "duration",
}
_TYPES = re.compile(r"\b(" + "|".join(sorted(_TYPE_WORDS, key=len, reverse=True)) + r")\b(?!\s*\()")
_DECIMALS = re.compile(r"\bDECIMAL(\(\d+,\s*\d+\))?")
_NO_FUNCTION = re.compile(r"argument types '(?P<call>[^']*)'")
_COMPARISON = re.compile(r"Cannot compare values of type (?P<left>.+?) and (type )?(?P<right>[^-]+?)( - |$)")
_UNKNOWN = re.compile(r"Referenced (?P<what>column|table) (?P<name>\".*?\") not found")
_CANDIDATE = re.compile(r"Candidate (?:bindings|tables): \"(?P<name>[^\"]+)\"")
_CONVERSION = re.compile(r"Could not convert (?:string|value) '(?P<value>.*?)' to (?P<type>\w+)", re.DOTALL)


class EngineError(RuntimeError):
    """DuckDB failed in a way that none of its kinds of errors is for: a bug, or a damaged file of somebody's."""


def words(error: duckdb.Error, seconds: float | None = None) -> Exception:  # noqa: PLR0911 - one line for each kind
    """What to raise instead of `error`; `seconds` is the time limit when it was hit."""
    if seconds is not None:
        return TooLargeError(f"this takes longer than {seconds:.0f} seconds on this table; narrow it down")
    if isinstance(error, duckdb.InterruptException):
        return TooLargeError("the work was interrupted")
    if isinstance(error, duckdb.OutOfMemoryException):
        return TooLargeError("this needs more memory than HydroML may use (HYDROML_MEMORY_LIMIT)")
    if isinstance(error, duckdb.IOException):
        if "No space left" in str(error) or "max_temp_directory_size" in str(error):
            return TooLargeError("there is not enough disk space for this")
        return UnavailableError("the table's file cannot be read just now")
    if isinstance(error, duckdb.PermissionException):
        return InvalidInputError("this is not allowed")
    if isinstance(error, (duckdb.DataError, duckdb.ProgrammingError, duckdb.NotSupportedError)):
        return InvalidInputError(sentence(str(error)))
    return EngineError(f"the table engine failed: {str(error)[:500]}")


def sentence(message: str) -> str:  # noqa: PLR0911 - one line for each kind
    """The gist of DuckDB's message, in our words for types."""
    first = message.split("\n", maxsplit=1)[0]
    first = re.sub(r"^[A-Z][A-Za-z -]*Error: ", "", first)
    if TOO_LONG in message:
        return TOO_LONG
    if "unterminated quote" in message:
        return f"unterminated quote, {first}"
    if found := _NO_FUNCTION.search(message):
        return _typed(f"{_call(found['call'])} does not work with these types")
    if found := _COMPARISON.search(first):
        return _typed(f"{found['left']} and {found['right']} cannot be compared")
    if found := _UNKNOWN.search(first):
        near = _CANDIDATE.search(message)
        hint = f"; did you mean {near['name']}?" if near else ""
        return f"there is no {found['what']} {found['name']} here{hint}"
    if found := _CONVERSION.search(first):
        return _typed(f"“{found['value'][:50]}” is not a valid {_TYPE_WORDS.get(found['type'], found['type'])}")
    if "Overflow" in first or "out of range" in first.lower():
        return "a result is too large for its type; turn one of the values into a number first: number(…)"
    return _typed(first.split(" Candidate")[0].split("explicit type casts")[0])[:300].rstrip(" .!-")


def type_words(sql_type: str) -> str:
    return _typed(sql_type)


def _typed(text: str) -> str:
    return _DECIMALS.sub("decimal", _TYPES.sub(lambda m: _TYPE_WORDS[m[1]], text))


def _call(call: str) -> str:
    """`+(VARCHAR, BIGINT)` read as people write it."""
    name, _, arguments = call.partition("(")
    if name and not name[0].isalpha():
        return f"“{name}” between {arguments.rstrip(')').replace(', ', ' and ')}"
    return call

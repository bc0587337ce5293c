"""The functions formulas and queries may use: nothing that is not in these tables can be called.

`sql` is a template over the arguments; without one the function is DuckDB's of the same name. What mathematics has no
value for (the logarithm of 0, the root of -1) is a missing value, and so is what lies beyond the numbers and times
there are; a whole number too large for 64 bits is refused in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hydroml.adapters.tables.examples import EXAMPLES
from hydroml.application.ports.tables import FunctionInfo

_MANY = 100


@dataclass(frozen=True, slots=True)
class Function:
    signature: str
    help: str
    least: int
    most: int
    sql: str = ""

    def render(self, name: str, arguments: Sequence[str]) -> str:
        if not self.sql:
            return f"{name}({', '.join(arguments)})"
        return self.sql.format(*arguments, all=", ".join(arguments))


class Reach(StrEnum):
    """Which rows a window function looks at."""

    RANK = "rank"
    """All that its order puts before; equal ones have equal ranks."""
    PLACE = "place"
    """Rows at a distance in the order."""
    FRAME = "frame"
    """Those of its frame, the order within which counts."""


@dataclass(frozen=True, slots=True)
class WindowFunction(Function):
    reach: Reach = Reach.PLACE


def _named(value: str, result: str) -> str:
    """`result`, in which `x` stands for the value, which is written once. DuckDB's nullif() and split_part() repeat
    what they are given: within each other, the planning would double with each."""
    return f"list_transform([{value}], lambda x: {result})[1]"


def _real(call: str) -> str:
    """A result that is not finite becomes missing."""
    return _named(call, "CASE WHEN isfinite(x) THEN x END")


def not_zero(divisor: str) -> str:
    """Missing where it is zero."""
    return _named(divisor, "CASE WHEN x <> 0 THEN x END")


def finite(call: str) -> str:
    """A number that is missing where `call` gives none that is finite."""
    return _real(f"CAST({call} AS DOUBLE)")


def _maths(name: str, help_: str, call: str = "") -> Function:
    return Function(f"{name}(x)", help_, 1, 1, _real(call or f"{name}({{0}}::DOUBLE)"))


def _part(name: str, help_: str) -> Function:
    return Function(f"{name}(time)", help_, 1, 1, f"{name}({{0}})")


_UNITS = "'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute' or 'second'"

_NUMBERS = {
    "abs": Function("abs(x)", "The value without its sign.", 1, 1),
    "sign": Function("sign(x)", "-1, 0 or 1.", 1, 1, "sign({0})::BIGINT"),
    "round": Function("round(x, digits)", "Rounded to so many digits, none if left out.", 1, 2),
    "floor": Function("floor(x)", "The next whole number below.", 1, 1),
    "ceil": Function("ceil(x)", "The next whole number above.", 1, 1),
    "trunc": Function("trunc(x)", "Without the digits after the point.", 1, 1),
    "mod": Function("mod(x, y)", "The remainder of x / y; missing for y = 0.", 2, 2, f"({{0}} % {not_zero('{1}')})"),
    "pow": Function("pow(x, y)", "x to the power of y.", 2, 2, _real("pow({0}::DOUBLE, {1}::DOUBLE)")),
    "sqrt": _maths("sqrt", "The square root; missing below 0."),
    "cbrt": _maths("cbrt", "The cube root."),
    "exp": _maths("exp", "e to the power of x."),
    "ln": _maths("ln", "The natural logarithm; missing for 0 and below."),
    "log": _maths("log", "The logarithm to base 10; missing for 0 and below.", "log10({0}::DOUBLE)"),
    "log10": _maths("log10", "The logarithm to base 10; missing for 0 and below."),
    "log2": _maths("log2", "The logarithm to base 2; missing for 0 and below."),
    "log1p": _maths("log1p", "ln(1 + x); missing for -1 and below.", "ln(1 + {0}::DOUBLE)"),
    "sin": _maths("sin", "The sine of an angle in radians."),
    "cos": _maths("cos", "The cosine of an angle in radians."),
    "tan": _maths("tan", "The tangent of an angle in radians."),
    "asin": _maths("asin", "The angle in radians whose sine is x."),
    "acos": _maths("acos", "The angle in radians whose cosine is x."),
    "atan": _maths("atan", "The angle in radians whose tangent is x."),
    "atan2": Function(
        "atan2(y, x)", "The angle of the point (x, y) in radians.", 2, 2, _real("atan2({0}::DOUBLE, {1}::DOUBLE)")
    ),
    "sinh": _maths("sinh", "The hyperbolic sine."),
    "cosh": _maths("cosh", "The hyperbolic cosine."),
    "tanh": _maths("tanh", "The hyperbolic tangent."),
    "radians": _maths("radians", "Degrees to radians."),
    "degrees": _maths("degrees", "Radians to degrees."),
    "pi": Function("pi()", "3.14159…", 0, 0),
    "greatest": Function("greatest(x, y, …)", "The largest of the values that are not missing.", 1, _MANY),
    "least": Function("least(x, y, …)", "The smallest of the values that are not missing.", 1, _MANY),
    "clip": Function(
        "clip(x, low, high)", "x, but at least low and at most high; missing stays missing.", 3, 3,
        "(CASE WHEN {0} < {1} THEN {1} WHEN {0} > {2} THEN {2} ELSE {0} END)",
    ),
}  # fmt: skip

_CONDITIONS = {
    "if": Function(
        "if(condition, x, y)", "x where the condition is true, else y.", 2, 3,
    ),
    "coalesce": Function("coalesce(x, y, …)", "The first value that is not missing.", 1, _MANY),
    "ifnull": Function("ifnull(x, y)", "y where x is missing.", 2, 2, "coalesce({0}, {1})"),
    "nullif": Function(
        "nullif(x, y)", "Missing where x equals y, else x.", 2, 2, _named("row({0}, {1})", "nullif(x[1], x[2])")
    ),
    "is_missing": Function("is_missing(x)", "Whether there is no value.", 1, 1, "({0} IS NULL)"),
}  # fmt: skip

_TEXT = {
    "length": Function("length(text)", "How many characters it has.", 1, 1),
    "lower": Function("lower(text)", "In small letters.", 1, 1),
    "upper": Function("upper(text)", "In capital letters.", 1, 1),
    "trim": Function("trim(text)", "Without spaces at both ends.", 1, 1),
    "ltrim": Function("ltrim(text)", "Without spaces at the start.", 1, 1),
    "rtrim": Function("rtrim(text)", "Without spaces at the end.", 1, 1),
    "left": Function("left(text, n)", "The first n characters.", 2, 2),
    "right": Function("right(text, n)", "The last n characters.", 2, 2),
    "substring": Function("substring(text, start, n)", "n characters from the start-th on, counted from 1.", 2, 3),
    "position": Function(
        "position(text, part)", "At which character part begins; 0 when it does not occur.", 2, 2, "strpos({0}, {1})"
    ),
    "contains": Function("contains(text, part)", "Whether part occurs in it.", 2, 2),
    "starts_with": Function("starts_with(text, part)", "Whether it begins with part.", 2, 2),
    "ends_with": Function("ends_with(text, part)", "Whether it ends with part.", 2, 2),
    "replace": Function("replace(text, old, new)", "With every old replaced by new.", 3, 3),
    "split_part": Function(
        "split_part(text, separator, n)", "The n-th piece of it, counted from 1.", 3, 3,
        _named("row({0}, {1}, {2})", "split_part(x[1], x[2], x[3])"),
    ),
    "concat": Function("concat(x, y, …)", "The values as text, joined; missing ones count as empty.", 1, _MANY),
    "concat_ws": Function("concat_ws(separator, x, y, …)", "The values that are not missing, joined.", 2, _MANY),
    "lpad": Function(
        "lpad(text, n, filling)",
        "Filled up at the start, or cut, to n characters; n is written as a number.", 3, 3,
    ),
    "rpad": Function(
        "rpad(text, n, filling)",
        "Filled up at the end, or cut, to n characters; n is written as a number.", 3, 3,
    ),
    "reverse": Function("reverse(text)", "From the end to the start.", 1, 1),
    "regexp_matches": Function("regexp_matches(text, pattern)", "Whether the regular expression occurs in it.", 2, 2),
    "regexp_extract": Function(
        "regexp_extract(text, pattern, group)", "What the regular expression, or a group of it, finds.", 2, 3
    ),
    "regexp_replace": Function(
        "regexp_replace(text, pattern, new)", "With everything the regular expression finds replaced.", 3, 3,
        "regexp_replace({0}, {1}, {2}, 'g')",
    ),
}  # fmt: skip

_TIMES = {
    "year": _part("year", "The year."),
    "quarter": _part("quarter", "The quarter, 1 to 4."),
    "month": _part("month", "The month, 1 to 12."),
    "week": _part("week", "The week of the year by ISO 8601."),
    "day": _part("day", "The day of the month."),
    "day_of_year": Function("day_of_year(time)", "The day of the year, 1 to 366.", 1, 1, "dayofyear({0})"),
    "day_of_week": Function("day_of_week(time)", "The day of the week, 1 for Monday to 7.", 1, 1, "isodow({0})"),
    "hour": _part("hour", "The hour, 0 to 23."),
    "minute": _part("minute", "The minute, 0 to 59."),
    "second": _part("second", "The second, 0 to 59."),
    "water_year": Function(
        "water_year(time)", "The year from October to September, called by the year in which it ends.", 1, 1,
        "year({0} + to_months(3))",
    ),
    "days_in_month": Function("days_in_month(time)", "How many days its month has.", 1, 1, "day(last_day({0}))"),
    "month_name": Function("month_name(time)", "The month in English, as in January.", 1, 1, "monthname({0})"),
    "day_name": Function("day_name(time)", "The day of the week in English, as in Monday.", 1, 1, "dayname({0})"),
    "last_day": Function("last_day(time)", "The last day of its month.", 1, 1),
    "date_trunc": Function("date_trunc(unit, time)", f"The beginning of its {_UNITS}.", 2, 2),
    "date_diff": Function("date_diff(unit, from, to)", f"How many borders of a {_UNITS} lie between.", 3, 3),
    "date_add": Function(
        "date_add(time, n, unit)", "n units later: 'year', 'month', 'day', 'hour', 'minute' or 'second'.", 3, 3
    ),
    "make_date": Function("make_date(year, month, day)", "A date from its parts.", 3, 3, "try(make_date({all}))"),
    "epoch": Function("epoch(time)", "Seconds since 1970-01-01.", 1, 1, _real("epoch({0})")),
    "strftime": Function("strftime(time, format)", "The time as text, for example with '%d.%m.%Y'.", 2, 2),
    "strptime": Function(
        "strptime(text, format)", "A time from text; missing where the text is written differently.", 2, 2,
        "try_strptime({0}, {1})",
    ),
}  # fmt: skip

_CONVERSION = {
    "integer": Function(
        "integer(x)", "As a whole number, rounded; missing where it is none.", 1, 1, "TRY_CAST({0} AS BIGINT)"
    ),
    "number": Function("number(x)", "As a number; missing where it is none.", 1, 1, _real("TRY_CAST({0} AS DOUBLE)")),
    "text": Function("text(x)", "As text.", 1, 1, "CAST({0} AS VARCHAR)"),
    "boolean": Function("boolean(x)", "True or false; missing where it is neither.", 1, 1, "TRY_CAST({0} AS BOOLEAN)"),
    "date": Function("date(x)", "As a date; missing where it is none.", 1, 1, "TRY_CAST({0} AS DATE)"),
    "timestamp": Function("timestamp(x)", "As a time; missing where it is none.", 1, 1, "TRY_CAST({0} AS TIMESTAMP)"),
}  # fmt: skip

_SCALAR: Mapping[str, Mapping[str, Function]] = {
    "Numbers": _NUMBERS,
    "Conditions and missing values": _CONDITIONS,
    "Text": _TEXT,
    "Dates and times": _TIMES,
    "Conversion": _CONVERSION,
}

FUNCTIONS: dict[str, Function] = {name: f for group in _SCALAR.values() for name, f in group.items()}
"""Of the values of one row."""

AGGREGATES: dict[str, Function] = {
    "count": Function("count(x)", "How many values are not missing; count(*) counts rows.", 1, 1),
    "sum": Function("sum(x)", "Their sum; missing when there is none.", 1, 1),
    "avg": Function("avg(x)", "Their mean.", 1, 1, "avg({0})"),
    "min": Function("min(x)", "The smallest.", 1, 1),
    "max": Function("max(x)", "The largest.", 1, 1),
    "median": Function("median(x)", "The value in the middle.", 1, 1),
    "quantile": Function(
        "quantile(x, share)", "The value below which that share of them lies, from 0 to 1, between two in proportion.",
        2, 2, "quantile_cont({0}, {1})",
    ),
    "mode": Function("mode(x)", "The most frequent; of those as frequent any.", 1, 1),
    "stddev": Function("stddev(x)", "The standard deviation of a sample.", 1, 1, "stddev_samp({0}::DOUBLE)"),
    "variance": Function("variance(x)", "The variance of a sample.", 1, 1, "var_samp({0}::DOUBLE)"),
    "corr": Function("corr(x, y)", "Pearson's correlation.", 2, 2, "corr({0}::DOUBLE, {1}::DOUBLE)"),
    "regr_slope": Function(
        "regr_slope(y, x)", "The slope of the straight line through them.", 2, 2,
        "regr_slope({0}::DOUBLE, {1}::DOUBLE)",
    ),
    "regr_intercept": Function(
        "regr_intercept(y, x)", "Where that line has x = 0.", 2, 2, "regr_intercept({0}::DOUBLE, {1}::DOUBLE)"
    ),
    "count_if": Function("count_if(condition)", "In how many rows it is true.", 1, 1),
    "bool_and": Function("bool_and(condition)", "Whether it is true in all rows.", 1, 1),
    "bool_or": Function("bool_or(condition)", "Whether it is true in any row.", 1, 1),
    "arg_min": Function("arg_min(x, by)", "x where by is smallest.", 2, 2),
    "arg_max": Function("arg_max(x, by)", "x where by is largest.", 2, 2),
}  # fmt: skip
"""Of many rows: those of a group in a query, those of a window in a formula."""

WINDOWS: dict[str, WindowFunction] = {
    "lag": WindowFunction("lag(x, n, otherwise)", "x n rows before, 1 if left out.", 1, 3),
    "lead": WindowFunction("lead(x, n, otherwise)", "x n rows after, 1 if left out.", 1, 3),
    "row_number": WindowFunction("row_number()", "The row's number, from 1.", 0, 0),
    "ntile": WindowFunction("ntile(n)", "Which of n parts of about equal size it is in, from 1.", 1, 1),
    "rank": WindowFunction("rank()", "Its rank; after equal ones a gap.", 0, 0, reach=Reach.RANK),
    "dense_rank": WindowFunction("dense_rank()", "Its rank, without gaps.", 0, 0, reach=Reach.RANK),
    "percent_rank": WindowFunction("percent_rank()", "Its rank from 0 to 1.", 0, 0, reach=Reach.RANK),
    "cume_dist": WindowFunction("cume_dist()", "The share of rows up to it.", 0, 0, reach=Reach.RANK),
    "first_value": WindowFunction("first_value(x)", "x in the first row.", 1, 1, reach=Reach.FRAME),
    "last_value": WindowFunction("last_value(x)", "x in the last row.", 1, 1, reach=Reach.FRAME),
    "nth_value": WindowFunction("nth_value(x, n)", "x in the n-th row, from 1.", 2, 2, reach=Reach.FRAME),
}  # fmt: skip
"""Only with OVER."""

ALIASES = {
    "power": "pow", "ceiling": "ceil", "char_length": "length", "substr": "substring", "iff": "if",
    "isnull": "is_missing", "strpos": "position", "mean": "avg", "std": "stddev", "stddev_samp": "stddev",
    "var_samp": "variance", "countif": "count_if", "quantile_cont": "quantile", "monthname": "month_name",
    "dayname": "day_name",
    "datetrunc": "date_trunc", "datediff": "date_diff", "dayofyear": "day_of_year", "isodow": "day_of_week",
    "len": "length", "prefix": "starts_with", "suffix": "ends_with",
}  # fmt: skip

NOT_REPEATABLE = frozenset(
    {
        "now",
        "today",
        "random",
        "uuid",
        "current_date",
        "current_time",
        "current_timestamp",
        "setseed",
        "get_current_time",
    }
)
"""What would give another table each time."""


def infos() -> tuple[FunctionInfo, ...]:
    groups: Mapping[str, Mapping[str, Function]] = {
        **_SCALAR,
        "Over many rows": AGGREGATES,
        "Over rows around": WINDOWS,
    }
    return tuple(
        FunctionInfo(name, f.signature, f.help, group, *EXAMPLES[name])
        for group, members in groups.items()
        for name, f in members.items()
    )

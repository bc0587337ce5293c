"""JSON, JSON lines, Arrow and Feather: every value survives, and what is damaged is said in words."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from hydroml.domain.sources import ColumnType, ImportOptions, UnreadableFileError
from tests.shared_data import SHARED, needs_shared_data
from tests.tables import Workshop

T = ColumnType


def rows(workshop: Workshop, content: str | bytes, name: str = "t.json", **options: Any) -> list[dict[str, Any]]:
    return workshop.rows(workshop.imported(content, name, ImportOptions(**options))[1])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_array_of_objects(workshop: Workshop, encoding: str) -> None:
    content = """ [ {"site": "Besançon", "n": 9223372036854775808, "x": 0.10, "ok": true, "at": "2020-01-02T03:04:05Z"},
      {"n": 1, "x": 12345678901234567.25, "late": "multi\\nline", "ok": null}
    ]""".encode(encoding)
    written, table = workshop.imported(content, "t.json")
    assert [(c.name, c.type) for c in written.columns] == [
        ("site", T.TEXT), ("n", T.DECIMAL), ("x", T.DECIMAL), ("ok", T.BOOLEAN), ("at", T.TIMESTAMP), ("late", T.TEXT),
    ]  # fmt: skip
    assert workshop.rows(table) == [
        {"site": "Besançon", "n": "9223372036854775808", "x": "0.10", "ok": True, "at": "2020-01-02T03:04:05",
         "late": None},
        {"site": None, "n": "1", "x": "12345678901234567.25", "ok": None, "at": None, "late": "multi\nline"},
    ]  # fmt: skip
    found = workshop.detect(content, "t.json")
    assert (found.format, found.rows[0][0], found.judged_all) == ("json", "Besançon", True)


def test_objects_are_flattened_once(workshop: Workshop) -> None:
    content = '[{"a": {"b": 1, "c": {"d": 1.50}, "e": {}}, "list": [1, 2.0, "x"], "none": {}, "t": ["ü"]}]'
    assert rows(workshop, content) == [
        {"a.b": 1, "a.c": '{"d":1.50}', "a.e": "{}", "list": '[1,2.0,"x"]', "none": "{}", "t": '["ü"]'}
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"x": [1, 2], "y": ["a", null]}', [{"x": 1, "y": "a"}, {"x": 2, "y": None}]),
        ('{"meta": {"n": 2}, "data": [{"x": 1}, {"x": 2}]}', [{"x": 1}, {"x": 2}]),
        ('{"x": 1, "y": "a"}', [{"x": 1, "y": "a"}]),
        ("[[1, 2], [3, 4]]", [{"column_1": 1, "column_2": 2}, {"column_1": 3, "column_2": 4}]),
        ("[1, 2]", [{"value": 1}, {"value": 2}]),
    ],
    ids=["columns", "within", "one row", "arrays", "values"],
)
def test_other_shapes_of_documents(workshop: Workshop, content: str, expected: list[dict[str, Any]]) -> None:
    assert rows(workshop, content) == expected


def test_bad_lines_are_rejected(workshop: Workshop) -> None:
    content = b'{"x": 1, "y": {"z": 2}}\n\n{"x": 2\n{"x": 3}\n"\xff"\n'
    for name in ("t.jsonl", "t.txt"):
        _, table, kept = workshop.joined({name: content})
        assert workshop.rows(table) == [{"x": 1, "y.z": 2}, {"x": 3, "y.z": None}]
        assert [(row["file"], row["line"]) for row in kept] == [(name, 3), (name, 5)]
        assert "no JSON from character 9 on" in kept[0]["reason"]
        assert kept[0]["text"] == '{"x": 2'
    found = workshop.detect(content, "t.jsonl")
    assert (found.format, found.rejected, found.rejects[0].line) == ("jsonl", 2, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"x": 1}, {"x": 2', "cut off behind 1 rows"),
        ('[{"x": 1} {"x": 2}]', "damaged"),
        ('[{"x": 1},', "damaged"),
        ("[]", "no rows"),
        ('{"x": [1, 2], "y": [1]}', "different lengths"),
        ('{"x": [1, 2', "damaged"),
        ("[" * 100_000, "nested"),
        ('[{"x": ' + "[" * 100_000, "nested"),
        ('{"x": 1}\n{"x": \n{"x" 2}\n', "most lines"),
    ],
)
def test_damaged_json_is_refused(workshop: Workshop, content: str, reason: str) -> None:
    name = "t.jsonl" if reason == "most lines" else "t.json"
    with pytest.raises(UnreadableFileError, match=reason):
        workshop.imported(content, name)


def test_beginning_of_a_large_document_is_enough_to_detect(workshop: Workshop) -> None:
    row = json.dumps({"n": 1, "text": "x" * 1_000})
    for content, name in (("[" + ",".join([row] * 20_000) + "]", "t.json"), (f"{row}\n" * 20_000, "t.jsonl")):
        found = workshop.detect(content, name)
        assert (found.judged_all, [c.name for c in found.columns]) == (False, ["n", "text"])


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(st.tuples(st.none() | st.integers(-(2**70), 2**70), texts), min_size=1, max_size=6),
    lines=st.booleans(),
)
def test_what_json_holds_comes_back(workshop: Workshop, table: list[tuple[int | None, str]], lines: bool) -> None:
    # A word beside each text keeps it text.
    given_rows = [{"i": i, "t": f"~{text}"} for i, text in table]
    content = "\n".join(map(json.dumps, given_rows)) if lines else json.dumps(given_rows)
    read = rows(workshop, content, "t.jsonl" if lines else "t.json")
    assert [(None if row["i"] is None else int(row["i"]), row["t"]) for row in read] == [
        (row["i"], row["t"]) for row in given_rows
    ]


@needs_shared_data
def test_real_json(workshop: Workshop) -> None:
    content = (SHARED / "flights" / "flights-2k.json").read_bytes()
    written, _ = workshop.imported(content, "flights-2k.json")
    assert written.rows == 2_000
    assert [c.type for c in written.columns] == [T.TIMESTAMP, T.INTEGER, T.INTEGER, T.TEXT, T.TEXT]


AT = datetime(2020, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - a file has no zone


def arrow_table() -> pa.Table:
    return pa.table(
        {
            "i": pa.array([2**63 - 1, None], pa.int64()),
            "h": pa.array([0.5, None], pa.float16()),
            "d": pa.array([Decimal("1.10"), None], pa.decimal128(38, 2)),
            "big": pa.array([Decimal("1" * 45), None], pa.decimal256(50, 0)),
            "c": pa.array(["x", None]).dictionary_encode(),
            "v": pa.array(["view", None], pa.string_view()),
            "at": pa.array([AT, None], pa.timestamp("us")),
            "zoned": pa.array([datetime(2020, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("ns", "Europe/Paris")),
            "day": pa.array([date(2020, 1, 2), None]),
            "took": pa.array([timedelta(seconds=90), None], pa.duration("ms")),
            "list": pa.array([[1, 2], None]),
            "nothing": pa.nulls(2),
        }
    )


def arrow_content(form: str, table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    if form == "file":
        with pa.ipc.new_file(buffer, table.schema) as writer:
            writer.write_table(table)
    elif form == "stream":
        with pa.ipc.new_stream(buffer, table.schema) as writer:
            writer.write_table(table)
    else:
        feather.write_feather(table, buffer, compression=form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["file", "stream", "lz4", "zstd"])
def test_arrow_of_every_kind(workshop: Workshop, form: str) -> None:
    content = arrow_content(form, arrow_table())
    written, table = workshop.imported(content, "t.arrow")
    assert workshop.rows(table)[0] == {
        "i": str(2**63 - 1), "h": 0.5, "d": "1.10", "big": "1" * 45, "c": "x", "v": "view",
        "at": "2020-01-02T03:04:05.000006", "zoned": "2020-01-02T03:00:00", "day": "2020-01-02", "took": 90_000,
        "list": "[1,2]", "nothing": None,
    }  # fmt: skip
    assert set(workshop.rows(table)[1].values()) == {None}
    assert any("durations" in note for note in written.notes)
    assert workshop.detect(content, "t.feather").format == "arrow"


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_feather_of_the_first_version(workshop: Workshop) -> None:
    buffer = io.BytesIO()
    feather.write_feather(pa.table({"x": [1, 2], "t": ["a", "b"]}), buffer, version=1)
    assert rows(workshop, buffer.getvalue(), "t.feather") == [{"x": 1, "t": "a"}, {"x": 2, "t": "b"}]


@pytest.mark.parametrize("form", ["file", "stream", "zstd"])
def test_damaged_arrow_is_refused(workshop: Workshop, form: str) -> None:
    content = arrow_content(form, arrow_table())
    damages = [content[:-200], content[: len(content) // 3]]
    if form == "stream":  # a file has its schema twice
        damages.append(content[:40] + b"\xff" * 60 + content[100:])
    for damaged in damages:
        with pytest.raises(UnreadableFileError, match="Arrow"):
            workshop.imported(damaged, "t.arrow")


def test_chosen_types_of_typed_files(workshop: Workshop) -> None:
    content = arrow_content("file", pa.table({"x": [1.0, 2.5], "n": [7, 8], "t": ["1.50", "word"]}))
    options = ImportOptions(types={"x": T.INTEGER, "n": T.TEXT, "t": T.NUMBER})
    written, table = workshop.imported(content, "t.arrow", options)
    assert workshop.rows(table) == [{"x": 1, "n": "7", "t": 1.5}, {"x": None, "n": "8", "t": None}]
    found = workshop.detect(content, "t.arrow", options)
    assert [(c.type, c.misfits) for c in found.columns] == [(T.INTEGER, 1), (T.TEXT, 0), (T.NUMBER, 1)]
    assert sum("not fit" in note for note in written.notes) == 2

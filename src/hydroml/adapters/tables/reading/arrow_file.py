"""Writes an Arrow or Feather file as Parquet: a script of its own, run in a process of its own within limits.

Reads a question as JSON from its standard input, and answers with lines of JSON: `{"done": 0.5}` any number of times,
then `{"notes": […]}`, or `{"refused": "…"}`.
"""

import contextlib
import json
import resource
import sys
from collections.abc import Iterable
from typing import Any


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    question = json.load(sys.stdin)
    # The file itself is mapped, and counts to none of the data.
    limits = ((resource.RLIMIT_DATA, question["memory"]), (resource.RLIMIT_CPU, question["seconds"]))
    for what, most in (*limits, (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(what, (most, most))
    import pyarrow as pa  # within the limits
    import pyarrow.parquet as pq

    pa.set_cpu_count(1)
    try:
        with pa.memory_map(question["file"]) as source:
            count, schema, batches = opened(pa, source)
            kept = pa.schema([field.with_type(plain(pa, field.type)).remove_metadata() for field in schema])
            notes = [
                f"“{field.name[:100]}” has durations, kept as whole numbers of “{field.type.unit}”"
                for field in schema
                if pa.types.is_duration(field.type)
            ]
            with pq.ParquetWriter(question["out"], kept, compression="zstd", compression_level=1) as writer:
                for at, batch in enumerate(batches, start=1):
                    batch.validate(full=True)
                    columns = [
                        turned(pa, column, field.type) for column, field in zip(batch.columns, kept, strict=True)
                    ]
                    writer.write_batch(pa.record_batch(columns, schema=kept))
                    say(done=min(at / max(count, 1), 1.0))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError, EOFError, UnicodeDecodeError, ValueError):
        return say(refused="the Arrow file is damaged or cut off")
    except (pa.ArrowNotImplementedError, KeyError) as error:
        return say(refused=f"the Arrow file holds something that cannot be read: {str(error)[:200]}")
    except (MemoryError, pa.ArrowMemoryError):
        return say(refused="a part of the Arrow file is too large; write it in batches of fewer rows")
    return say(notes=notes[:50])


def opened(pa: Any, source: Any) -> tuple[int, Any, Iterable[Any]]:
    """How many batches there are (0: unknown), the schema, and the batches."""
    start = source.read(6)
    source.seek(0)
    if start.startswith(b"FEA1"):
        from pyarrow import feather

        table = feather.read_table(source)
        return 1, table.schema, table.to_batches()
    if start == b"ARROW1":
        file = pa.ipc.open_file(source)
        count = file.num_record_batches
        return count, file.schema, (file.get_batch(at) for at in range(count))
    stream = pa.ipc.open_stream(source)
    return 0, stream.schema, stream


def plain(pa: Any, kind: Any) -> Any:  # noqa: PLR0911 - one line for each type
    """The type that Parquet has for it."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain(pa, kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain(pa, kind.value_type)
    if pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_string_view(kind) or pa.types.is_decimal256(kind) or pa.types.is_interval(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_null(kind):
        return pa.string()
    return kind


def turned(pa: Any, column: Any, kind: Any) -> Any:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if column.type == kind:
        return column
    if pa.types.is_decimal256(column.type) or pa.types.is_interval(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return column.cast(kind)


if __name__ == "__main__":
    main()

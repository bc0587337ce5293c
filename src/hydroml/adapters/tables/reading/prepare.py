"""Bytes to clean text: any encoding becomes UTF-8, any mixture of line ends becomes one, and no line is endless."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import ImportOptions, UnreadableFileError

HEAD = 1 << 20
MAX_LINE = 16 << 20
_USUAL_LINE = 4 << 20
_CHUNK = 4 << 20

_SIGNATURES = (
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive or workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x1f\x8b", "a compressed file within a compressed one"),
    (b"BZh", "a compressed file within a compressed one"),
    (b"\xfd7zXZ", "a compressed file within a compressed one"),
    (b"\x28\xb5\x2f\xfd", "a compressed file within a compressed one"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"7z\xbc\xaf\x27", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prepared:
    """A UTF-8 file without byte order mark problems whose lines end in one way."""

    file: Path
    encoding: str
    new_line: str
    max_line: int
    """What the reader has to be ready for, in bytes."""
    notes: tuple[str, ...] = ()


def prepare(file: Path, options: ImportOptions, folder: Path, monitor: Monitor | None = None) -> Prepared:
    """Writes into `folder` when the file has to be changed to be read. Raises UnreadableFileError."""
    quote = (options.quote or '"').encode()
    head = _head(file)
    _refuse_binary(head)
    encoding = _known_encoding(head, options)
    notes: tuple[str, ...] = ()
    if encoding in ("utf-8", "utf-8-sig"):
        survey = _survey(file, monitor)
        if survey.utf8:
            return _one_line_end(file, survey, encoding, quote, folder)
        if options.encoding is not None:
            raise UnreadableFileError(f"the file is not {options.encoding}: its bytes do not follow that encoding")
        encoding = _guessed_encoding(_telling_part(file))
        notes = (f"the text is not UTF-8; it was read as {encoding}, a guess from its letters",)
    decoded = transcoded(file, encoding, folder)
    survey = _survey(decoded, monitor)
    prepared = _one_line_end(decoded, survey, encoding, quote, folder)
    return replace(prepared, encoding=encoding, notes=notes)


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(HEAD)


def _refuse_binary(head: bytes) -> None:
    if not head.strip():
        raise UnreadableFileError("the file is empty")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise UnreadableFileError(f"this is {what}, not a text table")


def _known_encoding(head: bytes, options: ImportOptions) -> str:
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if options.encoding is not None:
        named = codecs.lookup(options.encoding).name
        if named in ("ascii", "utf-8"):
            return marked if marked == "utf-8-sig" else "utf-8"
        return named
    if marked is not None:
        return marked
    if b"\x00" in head:
        # ASCII text in UTF-16 has a zero in every second byte, and nowhere else.
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) * 0.3 and even < len(head) * 0.02:
            return "utf-16-le"
        if even > len(head) * 0.3 and odd < len(head) * 0.02:
            return "utf-16-be"
        raise UnreadableFileError("the file holds binary data, not text")
    control = sum(head.count(bytes((code,))) for code in range(32) if code not in (9, 10, 12, 13, 27))
    if control > max(8, len(head) * 0.02):
        raise UnreadableFileError("the file holds binary data, not text")
    return "utf-8"


@dataclass(slots=True)
class _Survey:
    utf8: bool = True
    feeds: int = 0
    returns: int = 0
    pairs: int = 0
    longest: int = 0


def _survey(file: Path, monitor: Monitor | None) -> _Survey:
    """One pass over the bytes: valid UTF-8, which line ends, and whether some line is too long to be one."""
    found = _Survey()
    decoder = codecs.getincrementaldecoder("utf-8")()
    pending = 0
    ended_in_return = False
    size = max(file.stat().st_size, 1)
    done = 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            done += len(chunk)
            if monitor is not None:
                monitor.report(done / size)
            if found.utf8 and not (chunk.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    found.utf8 = False
            if b"\x00" in chunk and found.utf8:
                raise UnreadableFileError("the file holds binary data (zero bytes), not text")
            found.feeds += chunk.count(b"\n")
            returns = chunk.count(b"\r")
            if returns or ended_in_return:
                found.returns += returns
                found.pairs += chunk.count(b"\r\n") + (ended_in_return and chunk[0] == 10)
            ended_in_return = chunk.endswith(b"\r")
            longest, pending = _line_length(chunk, pending)
            found.longest = max(found.longest, longest)
    if found.utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            found.utf8 = False
    return found


def _line_length(chunk: bytes, pending: int) -> tuple[int, int]:
    """An upper bound for the longest line that ends in `chunk` or goes on behind it, and how long the latter is."""
    last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    if last < 0:
        longest = pending = pending + len(chunk)
    else:
        first = min(at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0)
        longest, pending = pending + first, len(chunk) - last - 1
    if longest > MAX_LINE:
        raise UnreadableFileError(f"a line is longer than {MAX_LINE >> 20} MB: this is not a text table")
    return longest, pending


def _one_line_end(file: Path, survey: _Survey, encoding: str, quote: bytes, folder: Path) -> Prepared:
    # A quoted cell with line feeds makes a row longer than a line.
    max_line = max(_USUAL_LINE, 2 * survey.longest)
    if survey.returns == 0:
        return Prepared(file, encoding, "\\n", max_line)
    if survey.returns == survey.pairs == survey.feeds:
        return Prepared(file, encoding, "\\r\\n", max_line)
    out = folder / "line-ends"
    with file.open("rb") as stream, out.open("wb") as target:
        inside = False
        for chunk in _whole_pairs(stream):
            parts = chunk.split(quote)
            for at, part in enumerate(parts):
                if not inside and b"\r" in part:
                    parts[at] = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
                if at < len(parts) - 1:
                    inside = not inside
            target.write(quote.join(parts))
    return Prepared(out, encoding, "\\n", max_line)


def _whole_pairs(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in chunks, none of which ends between a carriage return and its line feed."""
    while chunk := stream.read(_CHUNK):
        while chunk.endswith(b"\r") and (more := stream.read(1)):
            chunk += more
        yield chunk


def _telling_part(file: Path) -> bytes:
    """Lines that hold letters beyond ASCII, at most 64 KB of them."""
    kept = bytearray()
    with file.open("rb") as stream:
        while len(kept) < 1 << 16 and (chunk := stream.read(_CHUNK)):
            if not chunk.isascii():
                for line in chunk.splitlines():
                    if not line.isascii():
                        kept += line[:2000] + b"\n"
                        if len(kept) >= 1 << 16:
                            break
    return bytes(kept)


def _guessed_encoding(sample: bytes) -> str:
    best = from_bytes(sample, cp_isolation=_CANDIDATES, enable_fallback=False).best()
    western = _decodes(sample, "cp1252")
    if best is None:
        return "cp1252" if western else "latin-1"
    # Few letters beyond ASCII tell little: then the most common encoding is the better guess than an exotic one.
    beyond = sum(byte > 127 for byte in sample)
    if western and (beyond < 0.2 * len(sample) or best.encoding in ("cp1250", "cp1254", "mac_roman")):
        return "cp1252"
    return best.encoding


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def transcoded(file: Path, encoding: str, folder: Path) -> Path:
    out = folder / "decoded"
    decoder = codecs.getincrementaldecoder(encoding)()
    if not isinstance(decoder, codecs.IncrementalDecoder):
        raise UnreadableFileError(f"“{encoding}” is not an encoding of text")
    done = 0
    try:
        with file.open("rb") as stream, out.open("wb") as target:
            while chunk := stream.read(_CHUNK):
                target.write(decoder.decode(chunk).encode())
                done += len(chunk)
            target.write(decoder.decode(b"", final=True).encode())
    except UnicodeError:
        raise UnreadableFileError(
            f"the file is not {encoding}: its bytes do not follow that encoding, near byte {done:,}"
        ) from None
    return out

"""Lines without a delimiter: cut by blanks, or at the same places; and lines that are comments."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

DELIMITER = "\x1f"
"""ASCII's unit separator: what such lines are joined by for the reader."""
_SAMPLED_LINES = 500


def cells(line: str, widths: Sequence[int]) -> list[str]:
    """The cells of a line: at the given widths, the last to its end, or by runs of blanks without any."""
    if not widths:
        return line.split()
    text = line.rstrip("\r\n").expandtabs()
    found, start = [], 0
    for width in widths[:-1]:
        found.append(text[start : start + width].strip())
        start += width
    return [*found, text[start:].strip()]


def widths_of(lines: Sequence[str], comment: str) -> tuple[int, ...]:
    """The widths between the columns of blanks that all lines share; one width when there is none."""
    sample = [
        line.rstrip("\r\n").expandtabs()
        for line in lines
        if line.strip() and not (comment and line.startswith(comment))
    ][:_SAMPLED_LINES]
    longest = max(map(len, sample), default=1)
    blank = [all(at >= len(line) or line[at] == " " for line in sample) for at in range(longest)]
    starts = [at for at in range(longest) if not blank[at] and (at == 0 or blank[at - 1])]
    if not starts:
        return (longest,)
    starts[0] = 0
    ends = [*starts[1:], longest]
    return tuple(end - start for start, end in zip(starts, ends, strict=True))


def joined(file: Path, out: Path, widths: Sequence[int]) -> None:
    """Writes the cells of every line with delimiters between them, line for line."""
    _rewrite(file, out, lambda line: DELIMITER.join(cells(line, widths)) + "\n")


def without_comments(file: Path, out: Path, comment: str, first_line: int) -> int:
    """Writes the text with comments as blank lines, so that every other line keeps its number; gives their count
    below the first line of data."""
    count = at = 0

    def kept(line: str) -> str:
        nonlocal count, at
        at += 1
        if not line.startswith(comment):
            return line
        count += at > first_line
        return "\n"

    _rewrite(file, out, kept)
    return count


def without_beginning(file: Path, out: Path, lines: int) -> None:
    """Writes all but so many lines."""
    with file.open("rb") as stream, out.open("wb") as target:
        for _ in range(lines):
            stream.readline()
        shutil.copyfileobj(stream, target, 1 << 20)


def has_comments(file: Path, comment: str, behind: int) -> bool:
    """Whether a line that begins behind so many bytes is a comment."""
    wanted = b"\n" + comment.encode()
    with file.open("rb") as stream:
        stream.seek(max(behind - 1, 0))
        tail = b""
        while chunk := stream.read(4 << 20):
            if wanted in tail + chunk:
                return True
            tail = chunk[-len(wanted) :]
    return False


def _rewrite(file: Path, out: Path, change: Callable[[str], str]) -> None:
    with (
        file.open(encoding="utf-8-sig", newline="\n") as lines,
        out.open("w", encoding="utf-8", newline="") as target,
    ):
        target.writelines(map(change, lines))

"""The quality report as one HTML file: everything in it, nothing asked for from elsewhere, and every word escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--dim:#5b6675;--line:#d8dee6;--paper:#fff;--card:#f6f8fa;
--error:#b42318;--warning:#92600a;--info:#175cd3}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--dim:#9aa6b5;--line:#36404d;--paper:#14191f;--card:#1c232c;
--error:#ff8a80;--warning:#f2c14e;--info:#8ab8ff}}
@media print{:root{--ink:#000;--dim:#444;--line:#bbb;--paper:#fff;--card:#fff;--error:#b42318;--warning:#92600a;
--info:#175cd3}article{break-inside:avoid}}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:0;overflow-wrap:anywhere}p{margin:.25rem 0;overflow-wrap:anywhere}.dim{color:var(--dim)}
article{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem;margin:.5rem 0}
.error{color:var(--error)}.warning{color:var(--warning)}.info{color:var(--info)}
code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}td.n{text-align:right;font-variant-numeric:tabular-nums}
"""
_MOST_ASSOCIATIONS = 100


def page(name: str, number: int, document: Mapping[str, Any]) -> str:
    """The report of version `number` of the data source `name`."""
    title = escape(f"Quality of {name}, version {number}")
    counts = {s: sum(f["severity"] == s for f in document["findings"]) for s in ("error", "warning", "info")}
    parts = [
        f"<h1>{title}</h1>",
        _head(document, counts),
        _section("Findings", map(_finding, document["findings"]) if document["findings"] else ["<p>None.</p>"]),
        _section("Time", _time(document["time"])),
        _section("Columns as features and targets", [_fitness(document["fitness"])]),
        _section("Associations", _associations(document["associations"])),
        _section("What was not looked at", [f"<p>{escape(text)}</p>" for text in document["bounds"]]),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _head(document: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    return (
        f'<p class="dim">{document["rows"]:,} rows, {document["columns"]:,} columns. Made at'
        f" {escape(str(document['created_at']))}.</p>"
        f'<p><span class="error">{counts["error"]} errors</span>, <span class="warning">{counts["warning"]} warnings'
        f'</span>, <span class="info">{counts["info"]} remarks</span></p>'
    )


def _section(title: str, parts: Iterable[str]) -> str:
    body = "".join(parts)
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def _finding(finding: Mapping[str, Any]) -> str:
    severity = escape(finding["severity"])
    lines = [
        f'<h3><span class="{severity}">{severity}</span> {escape(finding["title"])}</h3>',
        f"<p>{escape(finding['detail'])}</p>",
    ]
    if finding["rows"] is not None:
        share = f" ({finding['share'] * 100:.2g} %)" if finding["share"] is not None else ""
        lines.append(f'<p class="dim">Rows: {finding["rows"]:,}{share}</p>')
    if finding["filter"]:
        lines.append(f'<p class="dim">Shown by <code>{escape(finding["filter"])}</code></p>')
    if finding["row_numbers"]:
        numbers = ", ".join(f"{number:,}" for number in finding["row_numbers"])
        lines.append(f'<p class="dim">First row numbers: {numbers}</p>')
    if finding["step"]:
        step = ", ".join(f"{key}: {value}" for key, value in finding["step"].items() if key != "op")
        lines.append(f'<p class="dim">Step: {escape(finding["step"]["op"])} <code>{escape(step)}</code></p>')
    return f"<article>{''.join(lines)}</article>"


def _time(time: Mapping[str, Any] | None) -> Sequence[str]:
    if time is None:
        return []
    columns = ", ".join(time["parts"]) or time["column"]
    group = f", for each “{time['group']}” ({time['groups']:,})" if time["group"] is not None else ""
    words = f"“{columns}”{group}: {time['from']} to {time['to']}, step {time['step'] or 'irregular'}"
    gaps = [[gap["group"] or "", gap["from"], gap["to"], f"{gap['missing']:,}"] for gap in time["gaps"]]
    return [f"<p>{escape(words)}</p>", _table(["Where", "From", "To", "Missing"], gaps) if gaps else ""]


def _fitness(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [[f["column"], f["as_feature"], f["as_target"], "; ".join(f["reasons"])] for f in found]
    return _table(["Column", "Feature", "Target", "Why"], rows) if rows else ""


def _associations(found: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    if not found:
        return []
    shown = [[a["a"], a["b"], a["measure"].replace("_", " "), f"{a['value']:.3f}"] for a in found[:_MOST_ASSOCIATIONS]]
    rest = len(found) - len(shown)
    more = f'<p class="dim">and {rest:,} weaker ones</p>' if rest else ""
    return [_table(["", "", "Measure", "Value"], shown), more]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"

"""The HTML pieces of the results page: tables, curves and the page around them. All text is escaped here."""

import html
import math
from typing import Any

import numpy as np

STYLE = """
:root { color-scheme: light dark; --line: #8884; --ink: #2563c9 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line) }
table { border-collapse: collapse }
th, td { padding: .25rem .8rem; border-bottom: 1px solid var(--line); text-align: left }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0 } figcaption { opacity: .7 } img { max-width: 100%; height: auto }
.side, .curves { display: flex; flex-wrap: wrap; gap: 1.2rem } .side figure { flex: 1 1 20rem; margin: 0 }
.curves figure { margin: 0; width: 21rem } svg { width: 100%; height: auto }
svg text { font: 11px system-ui, sans-serif; fill: currentColor }
code { font-size: .92em } summary { cursor: pointer }
"""

def wrap(title: str, status: str, sections: list[tuple[str, str]]) -> str:
    """Wrap sections (heading, inner HTML) into a page that refers to nothing outside itself and its folder."""
    body = "".join(f"<section><h2>{html.escape(heading)}</h2>{inner}</section>\n" for heading, inner in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(status)}</p>\n{body}</body></html>\n"
    )


def results(metrics: dict[str, Any]) -> tuple[str, str] | None:
    """Tabulate what evaluation measured beside the score of returning the source unchanged, and the paper's row.

    Where nothing is translated, `beside` says what the second column is of; a measure may then be missing in it.
    """
    if not metrics:
        return None
    paper = metrics.get("published") or {"values": {}}
    further = metrics.get("pictures", {})
    heads = ["this model", *(name.replace("_", " ") for name in further), metrics.get("beside", "source copied")]
    if paper["values"]:
        heads.append(paper["source"] + ("" if paper["same_data"] else " (published, other data)"))
    rows = []
    for key, facts in metrics["record"].items():
        own = [_beside(found["mean"][key], found["details"].get(key, {})) for found in (metrics, *further.values())]
        scores = [*own, _number(metrics["copy_source"][key]) if key in metrics["copy_source"] else ""]
        if paper["values"]:
            scores.append(_number(paper["values"][key]) if key in paper["values"] else "")
        cells = "".join(f'<td class="number">{score}</td>' for score in scores)
        better = {True: ", higher is better", False: ", lower is better", None: ""}[facts["larger_is_better"]]
        unit = f" [{facts['unit']}]" if facts["unit"] else ""
        notes = ", ".join(str(facts[note]) for note in ("definition", "network", "weights") if note in facts)
        rows.append(f'<tr><td title="{html.escape(notes)}">{html.escape(facts["title"])}{unit}{better}</td>{cells}</tr>')
    single = {key: value for key, value in metrics.items() if not isinstance(value, (dict, list))}
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in single.items())
    missing = "".join(f"<p>{html.escape(f'{name} is left out: {why}')}</p>" for name, why in metrics["left_out"].items())
    head = "<tr><th>measure</th>" + "".join(f'<th class="number">{html.escape(text)}</th>' for text in heads) + "</tr>"
    parts = _domains(metrics.get("domains", {}), metrics["record"])
    return "Results", f"<table>{head}{''.join(rows)}</table>{parts}<p>{html.escape(facts)}</p>{missing}"


def _domains(domains: dict[str, Any], record: dict[str, Any]) -> str:
    """The numbers of each target domain, beside those of its sources unchanged."""
    if not domains:
        return ""
    names = list(next(iter(domains.values()))["mean"])
    heads = "".join(f'<th class="number">{html.escape(record[name]["title"])}</th>' for name in names)
    rows = []
    for domain, found in domains.items():
        pairs = [(found["mean"][name], found["copy_source"][name]) for name in names]
        shown = ["" if value is None else f"{_number(value)} ({_number(floor)})" for value, floor in pairs]
        cells = "".join(f'<td class="number">{text}</td>' for text in shown)
        rows.append(f"<tr><td>to {html.escape(domain)}</td>{cells}</tr>")
    return f"<table><tr><th>target domain (source copied)</th>{heads}</tr>{''.join(rows)}</table>" if names else ""


def _beside(value: float | None, details: dict[str, Any]) -> str:
    """A number, with its standard error where it has one."""
    error = details.get("standard_error")
    return _number(value) + (f" &plusmn; {_number(error)}" if error is not None else "")


def settings(table: dict[str, Any]) -> str:
    """List nested settings under dotted names."""
    cell = "<td><code>{}</code></td>".format
    rows = "".join(f"<tr>{cell(html.escape(key))}{cell(html.escape(value))}</tr>" for key, value in _flat(table))
    return f"<details><summary>show</summary><table>{rows}</table></details>"


def _flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in table.items():
        nested = isinstance(value, dict) and value
        rows += _flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", str(value))]
    return rows


def _number(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.4g}"


def curves(records: list[dict[str, Any]]) -> str:
    """Draw every logged number over the steps, one small chart each, in the order in which the names first appear."""
    names = dict.fromkeys(name for record in records for name in record if name not in ("step", "seconds"))
    charts = []
    for name in names:
        points = [(record["step"], record[name]) for record in records if isinstance(record.get(name), (int, float))]
        points = [point for point in points if math.isfinite(point[1])]
        if points:
            charts.append(f"<figure><figcaption>{html.escape(name)}</figcaption>{chart(points)}</figure>")
    return f'<div class="curves">{"".join(charts)}</div>'


def chart(points: list[tuple[float, float]], *, width: int = 336, height: int = 140, most: int = 200) -> str:
    """Draw one curve as SVG: at most `most` points, each the mean of a stretch of steps; the axis ends are labeled.

    The vertical axis spans the central 98 % of the values, so that one early spike does not flatten the rest.
    """
    stretches = np.array_split(np.asarray(points, np.float64), min(most, len(points)))
    steps, values = np.array([stretch.mean(0) for stretch in stretches]).T
    low, high = np.percentile(values, [1, 99]) if len(values) > 20 else (values.min(), values.max())
    left, right, top, bottom = 64, width - 8, 8, height - 20
    across = left + (steps - steps[0]) / ((steps[-1] - steps[0]) or 1) * (right - left)
    down = bottom - np.clip((values - low) / ((high - low) or 1), 0, 1) * (bottom - top)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    labels = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in (
            (left - 5, top + 8, "end", f"{high:.3g}"),
            (left - 5, bottom, "end", f"{low:.3g}"),
            (left, height - 5, "start", f"{points[0][0]:,}"),
            (right, height - 5, "end", f"{points[-1][0]:,}"),
        )
    )
    single = f'<circle cx="{across[0]:.1f}" cy="{down[0]:.1f}" r="2"'
    drawn = f'<polyline points="{line}"' if len(values) > 1 else single
    frame = f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="var(--line)"/>'
    drawn += ' fill="none" stroke="var(--ink)" stroke-width="1.5"/>'
    return f'<svg viewBox="0 0 {width} {height}" role="img">{frame}{drawn}{labels}</svg>'

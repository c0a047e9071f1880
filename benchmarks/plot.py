"""The plot as SVG: the ratios of luml_lite to the others in each case, and memory by file size."""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

MiB = 1024**2
_COLOURS = {"published": "#c2542d", "baseline": "#7a7a7a", "luml_lite": "#2a6f97"}
_ROW, _LEFT, _WIDE = 15, 330, 360


def svg(report: dict[str, Any]) -> str:
    """The report as SVG; a ratio below 1 means that luml_lite needs less."""
    rows = _ratios(report)
    top = 60
    bottom = top + _ROW * max(len(rows), 16) + 10
    parts = [_text(10, 22, "luml_lite against the published client and the baseline (1 = equal, left is better)", 14)]
    low, high = 0.01, 10.0

    def across(ratio: float) -> float:
        return _LEFT + _WIDE * math.log(min(max(ratio, low), high) / low) / math.log(high / low)

    for tick in (0.01, 0.1, 0.5, 1, 2, 10):
        x = across(tick)
        shade = "#333" if tick == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{shade}"/>')
        parts.append(_text(x, top - 12, f"{tick:g}", 10, "middle"))
    for number, (title, than, ratio) in enumerate(rows):
        y = top + _ROW * number
        x, one = across(ratio), across(1)
        parts.append(_text(_LEFT - 8, y + 10, title, 10, "end"))
        bar = f'x="{min(x, one):.1f}" y="{y + 2}" width="{max(abs(x - one), 1):.1f}" height="{_ROW - 5}"'
        parts.append(f'<rect {bar} fill="{_COLOURS[than]}"/>')
        parts.append(
            _text(min(x, one) - 3 if ratio < 1 else x + 3, y + 10, f"{ratio:.2f}", 9, "end" if ratio < 1 else "")
        )
    parts += _memory(report, _LEFT + _WIDE + 90, top, 330, bottom - top)
    wide = _LEFT + _WIDE + 90 + 330 + 40
    style = "font-family='system-ui, sans-serif' fill='#222'"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {bottom + 40}" {style}>'
    return "\n".join([head, f'<rect width="{wide}" height="{bottom + 40}" fill="#fff"/>', *parts, "</svg>"]) + "\n"


def _ratios(report: dict[str, Any]) -> list[tuple[str, str, float]]:
    rows = []
    for case in report["cases"]:
        metrics = {
            target["metric"] for target in report["targets"] if target["name"] == case["name"] and target["than"]
        }
        metric = "wall" if "wall" in metrics else "cpu"
        own = case["results"]["luml_lite"]
        for than in ("published", "baseline"):
            other = case["results"].get(than, {})
            if metric in own and other.get(metric) and (metrics or than == "published"):
                rows.append((f"{case['title']}: {metric} / {than}", than, own[metric] / other[metric]))
    return rows


def _memory(report: dict[str, Any], left: float, top: float, wide: float, high: float) -> list[str]:
    """Peak memory of uploads and downloads by file size; both axes are logarithmic."""
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for case in report["cases"]:
        way, _, rest = case["name"].partition("-tcp-")
        for name in ("luml_lite", "published"):
            results = case["results"].get(name, {})
            if rest and "rss" in results:
                series.setdefault((name, way), []).append((float(rest), results["rss"] / MiB))
    parts = [_text(left, top - 26, "peak memory (MiB) against file size (MB), TCP", 12)]

    def place(size: float, memory: float) -> tuple[float, float]:
        x = left + wide * math.log(size / 50) / math.log(6000 / 50)
        return x, top + high - high * math.log(max(memory, 16) / 16) / math.log(2048 / 16)

    for memory in (16, 32, 64, 128, 256, 512, 1024, 2048):
        _, y = place(50, memory)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + wide}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(left - 5, y + 3, str(memory), 10, "end"))
    for size in (100, 400, 2000, 5000):
        x, y = place(size, 16)
        parts.append(_text(x, y + 16, str(size), 10, "middle"))
    for (name, way), points in series.items():
        places = [place(*point) for point in sorted(points)]
        dash = ' stroke-dasharray="5 3"' if way == "download" else ""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{_COLOURS[name]}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_COLOURS[name]}"/>' for x, y in places]
        beside = 15 if way == "download" else -7  # the two lines of one client may lie close together
        parts.append(_text(places[-1][0] - 4, places[-1][1] + beside, f"{name} {way}", 10, "end"))
    return parts


def _text(x: float, y: float, words: str, size: int, anchor: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor or "start"}">{escape(words)}</text>'

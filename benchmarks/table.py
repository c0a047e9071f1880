"""What came out: medians, whether each target is met, and both as Markdown."""

from __future__ import annotations

from statistics import median
from typing import Any

from .cases import Case, Target

MiB = 1024**2
_UNITS = {"wall": "s wall", "cpu": "s CPU", "rss": "MiB", "moved": "bytes", "requests": "requests"}


def summed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each fact over the runs of one contender; `failed` says why where a run had none."""
    failed = [run["failed"] for run in runs if "failed" in run]
    if failed:
        return {"failed": failed[0], "runs": len(runs)}
    return {**{name: median(run[name] for run in runs) for name in runs[0]}, "runs": len(runs)}


def judged(case: Case, found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Each target of a case with the value that was measured."""
    return [each for target in case.targets if (each := _judged(case, target, found)) is not None]


def _judged(case: Case, target: Target, found: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    own, other = found["luml_lite"], found.get(target.than, {})
    if target.than and not other:
        return None
    verdict: dict[str, Any] = {"case": case.title, "name": case.name, "metric": target.metric, "than": target.than}
    verdict |= {"most": target.most, "value": None, "met": False}
    if "failed" in own:
        return verdict
    if "failed" in other:
        return {**verdict, "met": target.than == "published"}
    value = own[target.metric] / (other[target.metric] if target.than else 1)
    return {**verdict, "value": value, "met": value <= target.most}


def markdown(report: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    machine = report["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, "
        f"Python {machine['python']}, urllib3 {machine['urllib3']}, msgspec {machine['msgspec']}, "
        f"{machine['openssl']}. Load {_load(machine)}; idle before {_share(report['idle'][0])}, after "
        f"{_share(report['idle'][1])}{'' if report['quiet'] else ': **not a quiet machine, trust ratios only**'}.",
        "",
    ]
    for scheme, found in report["ceiling"].items():
        lines.append(f"Far end, {scheme.upper()}, one socket: takes {found['up'] / 1e6:.0f} MB/s, gives "
                     f"{found['down'] / 1e6:.0f} MB/s.")  # fmt: skip
    lines += ["", "| case | | wall s | CPU s | peak MiB | requests | bytes moved |", "|---|---|--:|--:|--:|--:|--:|"]
    for case in report["cases"]:
        for name, found in case["found"].items():
            if "failed" in found:
                lines.append(f"| {case['title']} | {name} | failed: {found['failed'].strip().splitlines()[-1][:120]} |")
                continue
            facts = f"{found['wall']:.3f} | {found['cpu']:.3f} | {found['rss'] / MiB:.0f}"
            lines.append(f"| {case['title']} | {name} | {facts} | {found['requests']:.0f} | {found['moved']:,.0f} |")
    lines += ["", "| target | at most | measured | met |", "|---|--:|--:|---|"]
    lines += [_target(each) for each in report["targets"]]
    return "\n".join(lines) + "\n"


def _target(found: dict[str, Any]) -> str:
    scale = MiB if found["metric"] == "rss" else 1
    unit = f"x {found['than']}, {found['metric']}" if found["than"] else _UNITS.get(found["metric"], found["metric"])
    value = "the other failed" if found["met"] else "**no measurement**"
    if found["value"] is not None:
        value = f"{found['value'] / scale:,.2f}"
    return (
        f"| {found['case']} | {found['most'] / scale:,.2f} {unit} | {value} | {'yes' if found['met'] else '**no**'} |"
    )


def _load(machine: dict[str, Any]) -> str:
    return f"{machine['load'][0]:.1f}" if machine["load"] else "unknown"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"

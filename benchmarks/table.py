"""Medians, verdicts on the targets, and the report as Markdown."""

from __future__ import annotations

from statistics import median
from typing import Any

from .cases import Case, Target

MiB = 1024**2
_UNITS = {"wall": "s wall", "cpu": "s CPU", "rss": "MiB", "moved": "bytes", "requests": "requests"}


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each measurement over the runs of one contender; `failed` is the reason if a run failed."""
    failed = [run["failed"] for run in runs if "failed" in run]
    if failed:
        return {"failed": failed[0], "runs": len(runs)}
    return {**{name: median(run[name] for run in runs) for name in runs[0]}, "runs": len(runs)}


def verdicts(case: Case, results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The targets of a case, each with the measured value and whether it is met."""
    return [each for target in case.targets if (each := _verdict(case, target, results)) is not None]


def _verdict(case: Case, target: Target, results: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    own, other = results["luml_lite"], results.get(target.than, {})
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
    for scheme, results in report["ceiling"].items():
        lines.append(f"Server, {scheme.upper()}, one socket: receives {results['up'] / 1e6:.0f} MB/s, sends "
                     f"{results['down'] / 1e6:.0f} MB/s.")  # fmt: skip
    lines += ["", "| case | | wall s | CPU s | peak MiB | requests | bytes moved |", "|---|---|--:|--:|--:|--:|--:|"]
    for case in report["cases"]:
        for name, results in case["results"].items():
            if "failed" in results:
                lines.append(
                    f"| {case['title']} | {name} | failed: {results['failed'].strip().splitlines()[-1][:120]} |"
                )
                continue
            facts = f"{results['wall']:.3f} | {results['cpu']:.3f} | {results['rss'] / MiB:.0f}"
            lines.append(
                f"| {case['title']} | {name} | {facts} | {results['requests']:.0f} | {results['moved']:,.0f} |"
            )
    lines += ["", "| target | at most | measured | met |", "|---|--:|--:|---|"]
    lines += [_target(each) for each in report["targets"]]
    return "\n".join(lines) + "\n"


def _target(verdict: dict[str, Any]) -> str:
    metric, than, value = verdict["metric"], verdict["than"], verdict["value"]
    scale = MiB if metric == "rss" else 1
    unit = f"x {than}, {metric}" if than else _UNITS.get(metric, metric)
    measured = "the other failed" if verdict["met"] else "**no measurement**"
    if value is not None:
        measured = f"{value / scale:,.2f}"
    most = f"{verdict['most'] / scale:,.2f} {unit}"
    return f"| {verdict['case']} | {most} | {measured} | {'yes' if verdict['met'] else '**no**'} |"


def _load(machine: dict[str, Any]) -> str:
    return f"{machine['load'][0]:.1f}" if machine["load"] else "unknown"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"

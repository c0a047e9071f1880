"""`python -m benchmarks` runs the cases, checks the targets, and writes JSON, Markdown and a plot."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from . import environments, machine, plot, table
from .cases import PLACE, Case, Workspace, calls, links, member, transfers
from .fresh import JobFailed, run
from .server import Server

_QUIET = 0.9  # share of idle processor time below which other programs disturb the measurement


def options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cases", default="*", help="comma-separated patterns of case names (see --list)")
    parser.add_argument("--sizes", default="100,400,2000", help="sizes of transfers in MB; 5000 takes minutes")
    parser.add_argument("--schemes", default="tcp,tls")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="100 MB, three repeats, no slow links: under two minutes")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and exit")
    parser.add_argument("--without-published", action="store_true")
    parser.add_argument("--published-python", help="an interpreter that has luml-api==0.4.0")
    parser.add_argument("--folder", help="directory for files; by default in memory if there is room, else on disk")
    parser.add_argument("--json", help="write the whole report to this file")
    parser.add_argument("--markdown", help="write the tables to this file as well")
    parser.add_argument("--plot", help="write the plot to this file, as SVG")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.sizes, chosen.repeats = "100", 3
    return chosen


def main() -> None:
    """Run the chosen cases and write the report."""
    chosen = options()
    sizes = [int(each) * 1_000_000 for each in chosen.sizes.split(",")]
    with tempfile.TemporaryDirectory(dir=chosen.folder or _memory_folder(2 * max(sizes))) as folder:
        certificate, key, root = _certificate(folder) if "tls" in chosen.schemes else ("", "", "")
        with Server(certificate=certificate, key=key) as server:
            workspace = Workspace(server, folder)
            names = chosen.cases.split(",")
            cases = [
                each for each in _cases(chosen, workspace, sizes) if any(fnmatch(each.name, name) for name in names)
            ]
            if chosen.list:
                print("\n".join([*(each.name for each in cases), "wheel"]))
                return
            report = _measure(chosen, workspace, cases, folder, root)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(report, indent=1) + "\n")
    if chosen.markdown:
        Path(chosen.markdown).write_text(table.markdown(report))
    if chosen.plot:
        Path(chosen.plot).write_text(plot.svg(report))
    print(table.markdown(report))


def _cases(chosen: argparse.Namespace, workspace: Workspace, sizes: list[int]) -> Iterator[Case]:
    yield from calls(200 if chosen.quick else 1000)
    yield from member(workspace, 5_000_000_000)
    yield from transfers(workspace, sizes, chosen.schemes.split(","))
    if not chosen.quick:
        yield from links(workspace, 16, [50, 200])


def _measure(
    chosen: argparse.Namespace, workspace: Workspace, cases: list[Case], folder: str, root: str
) -> dict[str, Any]:
    installed = environments.ours(os.path.join(folder, "environments"))
    pythons = {"ours": installed.python, "baseline": installed.python}
    if not chosen.without_published:
        pythons["published"] = chosen.published_python or environments.published()
    report: dict[str, Any] = {"machine": machine.facts(), "idle": [machine.idle()], "targets": [], "cases": []}
    report["ceiling"] = {}
    for scheme in chosen.schemes.split(","):
        args = {"url": _url(workspace.server, scheme), "size": 1_000_000_000, "what": workspace.archive(400_000_000)[1]}
        report["ceiling"][scheme] = run(pythons["baseline"], "baseline", "ceiling", args, timeout=120, env=_trust(root))
    report["targets"] += _sizes(installed)
    for case in cases:
        print(case.title, file=sys.stderr, flush=True)
        results = _compare(case, workspace, pythons, 1 if case.slow else chosen.repeats, root)
        report["cases"].append({"name": case.name, "title": case.title, "results": results})
        report["targets"] += table.verdicts(case, results)
    report["idle"].append(machine.idle())
    report["quiet"] = all(each is None or each >= _QUIET for each in report["idle"])
    return report


def _compare(
    case: Case, workspace: Workspace, pythons: dict[str, str], repeats: int, root: str
) -> dict[str, dict[str, Any]]:
    """The medians of each contender; they take turns, and each repeat begins with the next one."""
    contenders = [each for each in case.contenders if each.worker in pythons]
    runs: dict[str, list[dict[str, Any]]] = {each.name: [] for each in contenders}
    for repeat in range(repeats):
        turn = repeat % len(contenders)
        for each in contenders[turn:] + contenders[:turn]:
            with case.through(workspace.server) as url:
                if each.args.get("scheme") == "tls":
                    url = workspace.server.tls_url
                args = {"url": url, "place": PLACE, **each.args}
                before = workspace.server.counts()
                try:
                    facts = run(pythons[each.worker], each.worker, each.job, args, timeout=900, env=_trust(root))
                    counts = workspace.server.counts().since(before)
                    facts |= {"requests": counts.requests, "moved": counts.sent + counts.received}
                except JobFailed as error:
                    facts = {"failed": str(error)}
            runs[each.name].append(facts)
            with suppress(FileNotFoundError):
                os.unlink(workspace.target)
    return {name: table.medians(results) for name, results in runs.items()}


def _sizes(installed: environments.Installed) -> list[dict[str, Any]]:
    facts = (
        ("wheel", "wheel, bytes", installed.wheel, 150_000),
        ("wheel", "wheel, dependencies", installed.dependencies, 2),
        ("wheel", "installed with dependencies, bytes without bytecode", installed.size, 2_500_000),
    )
    return [
        {"name": name, "case": title, "metric": "", "than": "", "value": value, "most": most, "met": value <= most}
        for name, title, value, most in facts
    ]


def _url(server: Server, scheme: str) -> str:
    return server.tls_url if scheme == "tls" else server.url


def _trust(root: str) -> dict[str, str]:
    return {"SSL_CERT_FILE": root} if root else {}


def _certificate(folder: str) -> tuple[str, str, str]:
    """Paths of a certificate for 127.0.0.1, its key, and the root certificate."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    paths = tuple(os.path.join(folder, name) for name in ("certificate.pem", "key.pem", "root.pem"))
    issued.cert_chain_pems[0].write_to_path(paths[0])
    issued.private_key_pem.write_to_path(paths[1])
    authority.cert_pem.write_to_path(paths[2])
    return paths[0], paths[1], paths[2]


def _memory_folder(size: int) -> str | None:
    """A directory in memory with `size` bytes free, since disks differ more than clients do; None if there is none."""
    shared = "/dev/shm"  # noqa: S108
    return shared if os.path.isdir(shared) and shutil.disk_usage(shared).free > size else None


main()

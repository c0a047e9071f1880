"""The benchmark measures correctly: its server, slow link and verdicts are checked on work with known results."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import luml_lite
from benchmarks import plot, table
from benchmarks.archives import write_sparse
from benchmarks.cases import Case, Contender, Target
from benchmarks.fresh import JobFailed, run
from benchmarks.server import COLLECTION, ORBIT, ORGANIZATION, Server
from benchmarks.slow_link import SlowLink
from luml_lite.errors import FileUploadError
from luml_lite.files import archive

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def config(url: str) -> luml_lite.Config:
    place = {"organization": ORGANIZATION, "orbit": ORBIT, "collection": COLLECTION}
    return luml_lite.Config(api_key="key", base_url=url, retry=luml_lite.Retry(base=0.01), **place)


@pytest.mark.parametrize("size", [8192, 1_000_003, 9_000_000_000])
def test_a_sparse_archive_is_a_model_of_exactly_that_size(tmp_path: Path, size: int) -> None:
    sparse = write_sparse(str(tmp_path / "model.luml"), size)
    with tarfile.open(sparse.path) as tar:
        found = {each.name: (each.offset_data, each.size) for each in tar}
    assert found == sparse.file_index
    assert Path(sparse.path).stat().st_size == size


def test_the_server_refuses_chunked_bodies_as_storage_does() -> None:
    """A client without Content-Length must not look fast here."""
    import http.client

    with Server() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.putrequest("PUT", "/bucket/key")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()  # without a body, since the server closes the connection after the head
        assert connection.getresponse().status == 411
        connection.close()


def test_the_server_exchanges_bytes_that_luml_lite_can_verify(tmp_path: Path) -> None:
    """A download equals the file, and a wrong digest is detected."""
    sparse = write_sparse(str(tmp_path / "model.luml"), 3_000_000)
    facts = archive.inspect(sparse.path)
    with Server() as server:
        cfg = config(server.url)
        assert luml_lite.upload(cfg, sparse.path).status == "uploaded"
        key = server.put(sparse, facts.sha256)
        luml_lite.download(cfg, key, tmp_path / "copy.luml")
        assert (tmp_path / "copy.luml").read_bytes() == Path(sparse.path).read_bytes()
        with pytest.raises(luml_lite.IntegrityError):
            luml_lite.download(cfg, server.put(sparse, "0" * 64), tmp_path / "other.luml")


def test_the_slow_link_keeps_its_rate(tmp_path: Path) -> None:
    """3 MB at 3 MB/s take a second and some round trips in both directions."""
    sparse = write_sparse(str(tmp_path / "model.luml"), 3_000_000)
    with Server() as server, SlowLink(server.port, 3_000_000, 0.05, 0.0, 0) as url:
        key = server.put(sparse, archive.inspect(sparse.path).sha256)
        for call in (
            lambda: luml_lite.upload(config(url), sparse.path),
            lambda: luml_lite.download(config(url), key, tmp_path / "copy.luml"),
        ):
            before = time.monotonic()
            call()
            assert 1.0 <= time.monotonic() - before <= 20


def test_the_slow_link_cuts_the_given_number_of_connections(tmp_path: Path) -> None:
    """An upload survives one cut, and fails if all attempts are cut."""
    sparse = write_sparse(str(tmp_path / "model.luml"), 20_000_000)
    with Server() as server:
        with SlowLink(server.port, 1e9, 0.0, 0.0, 1) as url:
            assert luml_lite.upload(config(url), sparse.path).status == "uploaded"
        with SlowLink(server.port, 1e9, 0.0, 0.0, 100) as url, pytest.raises(FileUploadError):
            luml_lite.upload(config(url), sparse.path)


def test_a_failed_worker_is_reported_with_its_reason() -> None:
    with pytest.raises(JobFailed, match="no_such_module"):
        run(sys.executable, "ours", "import_module", {"module": "no_such_module"}, timeout=60)


CASE = Case("case", "a case", [Contender("luml_lite", "ours", "gets", {})], [Target("cpu", 0.5, "published")])


def facts(cpu: float) -> dict[str, float]:
    return {"cpu": cpu, "wall": cpu, "rss": 2.0**25, "requests": 1, "moved": 1}


@pytest.mark.parametrize(("cpu", "met"), [(0.5, True), (0.51, False)])
def test_a_target_is_met_up_to_its_ratio(cpu: float, met: bool) -> None:
    [verdict] = table.verdicts(CASE, {"luml_lite": facts(cpu), "published": facts(1.0)})
    assert (verdict["met"], verdict["value"]) == (met, cpu)


def test_a_failure_of_ours_meets_no_target() -> None:
    [verdict] = table.verdicts(CASE, {"luml_lite": {"failed": "why"}, "published": facts(1.0)})
    assert not verdict["met"]


def test_medians_are_taken_and_one_failed_run_fails_the_contender() -> None:
    assert table.medians([{"cpu": 1.0}, {"cpu": 9.0}, {"cpu": 2.0}]) == {"cpu": 2.0, "runs": 3}
    assert table.medians([{"cpu": 1.0}, {"failed": "why"}])["failed"] == "why"


def test_the_plot_is_a_picture_with_a_bar_for_each_ratio() -> None:
    results = {"luml_lite": facts(0.1), "published": facts(1.0)}
    name = "upload-tcp-100"
    report = {
        "cases": [{"name": name, "title": "a <case>", "results": results}],
        "targets": [{**verdict, "name": name} for verdict in table.verdicts(CASE, results)],
    }
    picture = ElementTree.fromstring(plot.svg(report))  # noqa: S314 - the plot is our own
    words = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <case>: cpu / published" in words
    assert "0.10" in words


def test_the_command_measures_and_reports(tmp_path: Path) -> None:
    """Run the command once, on the cheapest case, with a separate environment for luml_lite."""
    command = [sys.executable, "-m", "benchmarks", "--cases", "import", "--repeats", "1", "--without-published"]
    command += ["--sizes", "1", "--schemes", "tcp", "--plot", str(tmp_path / "plot.svg")]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "| import | luml_lite |" in output
    assert "| wheel, dependencies | 2.00" in output
    assert (tmp_path / "plot.svg").exists()


def test_the_command_of_the_readme_is_valid(tmp_path: Path) -> None:
    """Its options select every case of the table; running them takes a quarter of an hour."""
    [line] = [each for each in (ROOT / "README.md").read_text().splitlines() if "python -m benchmarks" in each]
    options = line.partition("python -m benchmarks")[2].split()
    command = [sys.executable, "-m", "benchmarks", *options, "--list"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert {"import", "get", "list", "async", "member", "upload-tls-5000", "slow-download-200-cut", "wheel"} <= {*names}

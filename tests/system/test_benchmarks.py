"""The benchmark measures what it says: its far end, link and verdicts are checked on work with a known answer."""

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
from benchmarks.archives import sparse
from benchmarks.cases import Case, Contender, Target
from benchmarks.far import COLLECTION, ORBIT, ORGANIZATION, Far
from benchmarks.fresh import JobFailed, run
from benchmarks.shape import Shape
from luml_lite.errors import FileUploadError
from luml_lite.files import archive

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def config(url: str) -> luml_lite.Config:
    place = {"organization": ORGANIZATION, "orbit": ORBIT, "collection": COLLECTION}
    return luml_lite.Config(api_key="key", base_url=url, retry=luml_lite.Retry(base=0.01), **place)


@pytest.mark.parametrize("size", [8192, 1_000_003, 9_000_000_000])
def test_a_sparse_archive_is_a_model_of_exactly_that_size(tmp_path: Path, size: int) -> None:
    made = sparse(str(tmp_path / "model.luml"), size)
    with tarfile.open(made.path) as tar:
        found = {each.name: (each.offset_data, each.size) for each in tar}
    assert found == made.file_index
    assert Path(made.path).stat().st_size == size


def test_the_far_end_refuses_chunked_bodies_as_storage_does() -> None:
    """A client that leaves Content-Length out must not look fast here."""
    import http.client

    with Far() as far:
        connection = http.client.HTTPConnection("127.0.0.1", far.port)
        connection.request("PUT", "/bucket/key", iter([b"bytes"]), encode_chunked=True)
        assert connection.getresponse().status == 411
        connection.close()


def test_the_far_end_takes_and_gives_bytes_that_luml_lite_can_prove(tmp_path: Path) -> None:
    """What is downloaded is the file, and a digest that does not fit is noticed."""
    made = sparse(str(tmp_path / "model.luml"), 3_000_000)
    facts = archive.inspect(made.path)
    with Far() as far:
        cfg = config(far.url)
        assert luml_lite.upload(cfg, made.path).status == "uploaded"
        key = far.put(made, facts.sha256)
        luml_lite.download(cfg, key, tmp_path / "copy.luml")
        assert (tmp_path / "copy.luml").read_bytes() == Path(made.path).read_bytes()
        with pytest.raises(luml_lite.IntegrityError):
            luml_lite.download(cfg, far.put(made, "0" * 64), tmp_path / "other.luml")


def test_the_link_is_as_slow_as_it_says(tmp_path: Path) -> None:
    """3 MB at 3 MB/s take a second and some round trips, up and down; faster would be no link of that rate."""
    made = sparse(str(tmp_path / "model.luml"), 3_000_000)
    with Far() as far, Shape(far.port, 3_000_000, 0.05, 0.0, 0) as url:
        key = far.put(made, archive.inspect(made.path).sha256)
        for call in (
            lambda: luml_lite.upload(config(url), made.path),
            lambda: luml_lite.download(config(url), key, tmp_path / "copy.luml"),
        ):
            before = time.monotonic()
            call()
            assert 1.0 <= time.monotonic() - before <= 20


def test_the_link_cuts_the_connections_it_was_told_to(tmp_path: Path) -> None:
    """With as many cuts as there are attempts the upload fails, so the cuts are real; with one it does not."""
    made = sparse(str(tmp_path / "model.luml"), 20_000_000)
    with Far() as far:
        with Shape(far.port, 1e9, 0.0, 0.0, 1) as url:
            assert luml_lite.upload(config(url), made.path).status == "uploaded"
        with Shape(far.port, 1e9, 0.0, 0.0, 100) as url, pytest.raises(FileUploadError):
            luml_lite.upload(config(url), made.path)


def test_a_worker_that_fails_is_told_with_its_reason() -> None:
    with pytest.raises(JobFailed, match="no_such_module"):
        run(sys.executable, "ours", "imported", {"module": "no_such_module"}, timeout=60)


CASE = Case("case", "a case", [Contender("luml_lite", "ours", "gets", {})], [Target("cpu", 0.5, "published")])


def facts(cpu: float) -> dict[str, float]:
    return {"cpu": cpu, "wall": cpu, "rss": 2.0**25, "requests": 1, "moved": 1}


@pytest.mark.parametrize(("cpu", "met"), [(0.5, True), (0.51, False)])
def test_a_target_is_met_up_to_its_ratio(cpu: float, met: bool) -> None:
    [verdict] = table.judged(CASE, {"luml_lite": facts(cpu), "published": facts(1.0)})
    assert (verdict["met"], verdict["value"]) == (met, cpu)


def test_a_failure_of_ours_meets_no_target() -> None:
    [verdict] = table.judged(CASE, {"luml_lite": {"failed": "why"}, "published": facts(1.0)})
    assert not verdict["met"]


def test_medians_are_taken_and_one_failed_run_fails_the_contender() -> None:
    assert table.summed([{"cpu": 1.0}, {"cpu": 9.0}, {"cpu": 2.0}]) == {"cpu": 2.0, "runs": 3}
    assert table.summed([{"cpu": 1.0}, {"failed": "why"}])["failed"] == "why"


def test_the_plot_is_a_picture_with_a_bar_for_each_ratio() -> None:
    found = {"luml_lite": facts(0.1), "published": facts(1.0)}
    name = "upload-tcp-100"
    report = {
        "cases": [{"name": name, "title": "a <case>", "found": found}],
        "targets": [{**verdict, "name": name} for verdict in table.judged(CASE, found)],
    }
    picture = ElementTree.fromstring(plot.svg(report))  # noqa: S314 - our own text
    words = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <case>: cpu / published" in words
    assert "0.10" in words


def test_the_command_measures_and_reports(tmp_path: Path) -> None:
    """The whole way once, on the cheapest case, with an environment of its own for luml_lite."""
    command = [sys.executable, "-m", "benchmarks", "--cases", "import", "--repeats", "1", "--without-published"]
    command += ["--sizes", "1", "--schemes", "tcp", "--plot", str(tmp_path / "plot.svg")]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "| import | luml_lite |" in said
    assert "| wheel, dependencies | 2.00" in said
    assert (tmp_path / "plot.svg").exists()


def test_the_readmes_command_is_one_that_the_benchmark_takes(tmp_path: Path) -> None:
    """With its options it names every case of the table; running them takes a quarter of an hour."""
    [line] = [each for each in (ROOT / "README.md").read_text().splitlines() if "python -m benchmarks" in each]
    options = line.partition("python -m benchmarks")[2].split()
    command = [sys.executable, "-m", "benchmarks", *options, "--list"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert {"import", "get", "list", "async", "member", "upload-tls-5000", "slow-download-200-cut", "wheel"} <= {*said}

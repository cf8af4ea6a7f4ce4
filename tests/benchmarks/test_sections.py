"""Each section of the benchmarks at a tiny size: whoever measures next finds that it still runs."""

import asyncio
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from threading import Thread

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks._burst import burst
from tests.benchmarks._counts import counts
from tests.benchmarks._crashes import crashes, races
from tests.benchmarks._deliveries import deliveries
from tests.benchmarks._fuzz import fuzz
from tests.benchmarks._harness import client_alone, made_and_signed, prebuilt
from tests.benchmarks._machine import program
from tests.benchmarks._pages import pages
from tests.benchmarks._rows import rows
from tests.benchmarks._runs import runs
from tests.benchmarks._scan import scan
from tests.benchmarks._service import service
from tests.benchmarks._upstream import upstream
from tests.components import need

ROOT = Path(__file__).parents[2]


class Nothing(BaseHTTPRequestHandler):
    """Answers 204 to every delivery, as the nginx of the benchmark does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """A server that stands in for nginx where there is none."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def need_programs(*names: str) -> None:
    """Skip the test where a program is absent."""
    for name in names:
        need(name, present=program(name) is not None)


@pytest.mark.parametrize("connections", [1, 2])
def test_own_deliveries(url, connections):
    """The harness's contenders deliver, on one connection and on more, and every delivery is answered with success."""
    request = prebuilt(url)
    assert asyncio.run(client_alone(url, request, connections, 0.1)) > 0
    assert made_and_signed(url, connections, 0.1) > 0


def test_deliveries():
    """Each contender gets a rate on each number of connections."""
    need_programs("nginx", "wrk")
    assert deliveries(with_wrk=True, rounds=1).row_count == 8


def test_counts():
    """What there is, is counted."""
    table = counts()
    assert table.row_count == 1
    assert all(int(number) > 0 for column in table.columns for number in column.cells)


@pytest.mark.thorough
def test_runs():
    """A command is timed, and one that fails is told."""
    timed, failed = runs({"list": "", "explain none/such": ""}, 1)
    assert (timed.row_count, failed) == (2, ["payproof explain none/such ended with exit code 4"])


def test_scan():
    """Every planted number is found, by each way of searching and with each number of processes."""
    table = scan(1)
    *_, found, planted = table.columns
    own = [name.startswith("Payproof") for name in table.columns[0].cells]
    hits = [int(number) for number, ours in zip(found.cells, own, strict=True) if ours]
    assert len(hits) >= 2
    assert set(hits) == set(map(int, planted.cells))


def test_rows():
    """The rows with a card number are found by both."""
    need_programs("rg")
    table, failed = rows(100)
    assert (table.row_count, failed) == (2, [])


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
def test_service(kind):
    """Service and peer each hold, on either database, every event that they answered with success."""
    need_programs("wrk")
    rest, rates = service((kind,), rounds=1, seconds=1, starts=1)
    assert (rest.row_count, rates.row_count) == (2, 4)


@pytest.mark.thorough
def test_fuzz():
    """Each fuzzer gets a rate."""
    assert fuzz(1, 1).row_count == 3


def test_upstream():
    """The double and stripe-mock are called bare and over both schemes, and what is covered is told."""
    need_programs("wrk", "stripe-mock")
    (rates, covered), failed = upstream(1)
    assert (rates.row_count, covered.row_count, failed) == (6, 5, [])


@pytest.mark.thorough
def test_races():
    """The race defect is caught, and the reference service holds, on either database."""
    (table,), failed = races(2, 1)
    assert (table.row_count, failed) == (4, [])


@pytest.mark.thorough
def test_crashes():
    """The kills of a run are survived, on either database."""
    (table,), failed = crashes(2)
    assert (table.row_count, failed) == (2, [])


@pytest.mark.thorough
def test_burst():
    """No event of a burst is lost or applied twice, on either database."""
    need_programs("wrk")
    (table,), failed = burst(300)
    assert (table.row_count, failed) == (2, [])


def test_pages():
    """Each report of a small run is timed, and the page is opened."""
    need_programs("chromium")
    table = pages((5,))
    assert table.row_count == 6
    *_, usable = table.columns
    assert sum(cell.isdecimal() for cell in usable.cells) == 1


def test_section_by_name(capsys):
    """Only the section that is named is measured, below a line that says on what."""
    assert benchmarks.main(["counts"]) == 0
    first, title, *_ = capsys.readouterr().out.splitlines()
    assert "Python" in first
    assert title.strip() == "what there is"


def test_section_by_name_in_make():
    """`make bench deliveries` measures that section alone."""
    need("make", present=which("make") is not None)
    command = ["make", "--no-print-directory", "--dry-run", "bench", "deliveries"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1:] for line in said.splitlines() if "benchmarks" in line] == [
        ["-m", "tests.benchmarks", "deliveries"]
    ]

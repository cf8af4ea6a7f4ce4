"""The search of a large file by processes of its own."""

import os

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak
from tests.at_rest.made import LINES


def test_spawned_processes_find_the_same(tmp_path, monkeypatch):
    """Processes that are started anew search parts of a file as this one searches the whole."""
    monkeypatch.setattr("payproof.at_rest.searching._WORTH_PROCESSES", 0)
    line = b"nothing of interest is in here, it is only a line of a log that is long\n"
    with (tmp_path / "big.log").open("wb") as file:
        file.write(line * (40 * 1024 * 1024 // len(line)) + LINES)
        file.write(line * (30 * 1024 * 1024 // len(line)) + LINES)
    specs = read_specs([str(tmp_path)], os.environ)
    alone, together = ([one for one in search(specs, Options(jobs=jobs)) if isinstance(one, Leak)] for jobs in (1, 2))
    assert alone == together
    assert len(alone) == 4

import re
import sys
from importlib.metadata import packages_distributions, requires

import pytest

from payproof import extras
from payproof.adapters.upstream.certificates import Certificates
from payproof.adapters.writer import DatabaseWriter
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError
from payproof.extras import EXTRAS, install, lacking
from payproof.files.parquet import parquet_cells
from payproof.files.streams import DamagedError
from payproof.registry import store_sources, table_sources
from payproof.session import open_lanes, open_session
from tests.components import need
from tests.end_to_end.command import payproof_here


def required():
    """Return the distributions that each extra of the installed package requires, those of other extras included."""
    found = {}
    for line in requires("payproof"):
        if extra := re.search(r"""extra == ['"]([\w-]+)['"]""", line):
            found.setdefault(extra[1], set()).add(re.match(r"[\w-]+(?:\[\w+\])?", line)[0])
    for extra, names in found.items():
        inner = {name for name in names if name.startswith("payproof[")}
        found[extra] = names - inner
        for name in inner:
            found[extra] |= found[name.removeprefix("payproof[").removesuffix("]")]
    return {extra: {name.partition("[")[0] for name in names} for extra, names in found.items()}


def test_the_table_is_that_of_the_metadata():
    """Each extra of the wheel is in the table, with the packages of exactly the distributions that it requires."""
    wanted = required()
    assert EXTRAS.keys() == wanted.keys()
    known = packages_distributions()
    for extra, names in EXTRAS.items():
        need(f"extra {extra}", not lacking(extra))
        assert {known[name][0].lower().replace("_", "-") for name in names} == wanted[extra]


def test_an_extra_that_there_is_not():
    """No message can name an extra that the wheel does not have."""
    with pytest.raises(ValueError, match="no extra 'postgres'"):
        install("postgres")


@pytest.fixture
def without(monkeypatch):
    """Makes packages ones that are not installed."""

    def absent(*names):
        find = extras.find_spec
        for name in names:
            monkeypatch.setitem(sys.modules, name, None)
        for name in [one for one in sys.modules if re.match(r"payproof\.sources\.(mysql|postgresql|redis)\.", one)]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(extras, "find_spec", lambda name: None if name in names else find(name))

    return absent


@pytest.mark.parametrize(
    ("package", "extra", "url"),
    [
        ("pymysql", "mysql", "mysql://u@127.0.0.1:1/db"),
        ("psycopg", "postgresql", "postgresql://u@127.0.0.1:1/db"),
        ("redis", "redis", "redis://127.0.0.1:1/0"),
    ],
)
def test_a_driver_that_is_missing_is_named_by_its_extra(without, package, extra, url):
    """A database whose driver is not installed, to watch, to search or to write to, names the extra that brings it."""
    without(package)
    spec = SourceSpec("database", url)
    for openers in (store_sources(), table_sources()):
        if opener := openers.get(extra):
            with pytest.raises(ConfigurationError, match=re.escape(install(extra))):
                opener(spec)
    if extra != "redis":
        with pytest.raises(InconclusiveError, match=re.escape(install(extra))):
            DatabaseWriter(spec).insert("t", {"a": 1})


def test_a_format_that_cannot_be_read_is_named_by_its_extra(without, tmp_path):
    """Compressed files and columns that a package reads name the extra that brings it."""
    without("pyarrow", "zstandard")
    with pytest.raises(DamagedError, match=re.escape(install("parquet"))):
        next(parquet_cells(tmp_path))
    packed = tmp_path / "x.zst"
    packed.write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    ended = payproof_here("scan", packed)
    assert ended.code == 3
    assert install("zstandard") in ended.out


def test_certificates_are_named_by_their_extra(without, tmp_path):
    """An upstream by HTTPS without what makes certificates names the extra for targets of one's own."""
    without("trustme")
    with pytest.raises(ConfigurationError, match=re.escape(install("upstream"))):
        Certificates(tmp_path)


@pytest.mark.parametrize("missing", ["structlog", "trustme", "psycopg"])
def test_the_reference_is_named_by_its_extra(without, missing):
    """Whatever of the reference service is missing, its own extra is named, and nothing of it is begun."""
    without(missing)
    said = re.escape(f"the reference service is not installed: {missing} missing; {install('reference')}")
    with pytest.raises(ConfigurationError, match=said), open_session(None):
        pass
    with pytest.raises(ConfigurationError, match=said), open_lanes(2):
        pass

"""The search of data at rest: files, streams and databases, to traces of payment data and what was not read."""

from harness.at_rest.search import Options, search
from harness.at_rest.specs import SourceSpecs, read_specs

__all__ = ["Options", "SourceSpecs", "read_specs", "search"]

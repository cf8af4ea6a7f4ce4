"""The values of a Parquet file; what its pages say that they expand to is not believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from payproof.extras import install
from payproof.files.streams import MIB, DamagedError, why

__all__ = ["parquet_cells"]

_ROWS = (1000, 20, 1)  # that are read at a time
_LEFT_OUT = ("bool", "date", "time", "duration")
_REPEATED = ("string", "large_string", "binary", "large_binary")
_MOST_MEMORY = 160 * MIB  # for some rows: a page may say that it has 2 GB, and a few bytes that they are a million more
_STATUS = Path("/proc/self/status")


def parquet_cells(file: Any) -> Iterator[tuple[str, str, object]]:
    """Yield each value of a Parquet file that is not null with its row's number and its column's name.

    Raises:
        DamagedError: it cannot be read, or not to its end.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 (only an extra has it)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise DamagedError(f"reading Parquet needs {install('parquet')}") from None
    done = 0
    for at_once in _ROWS:
        try:
            for number, row in enumerate(_rows(pa, parquet, file, at_once), 1):
                if number > done:
                    done = number
                    yield from ((f"row {number}", name, value) for name, value in row if value is not None)
        except MemoryError:  # fewer rows may fit
            continue
        except Exception as error:  # noqa: BLE001 (whatever the library raises costs this file)
            raise DamagedError(f"the Parquet file is damaged: {why(error)}") from None
        return
    raise DamagedError(f"row {done + 1} of the Parquet file takes more than {_MOST_MEMORY // MIB} MiB")


def _rows(pa: Any, parquet: Any, file: Any, at_once: int) -> Iterator[list[tuple[str, object]]]:
    with _limit_memory(pa):
        schema = parquet.ParquetFile(file).schema_arrow
        # A text that is written once for many rows stays one, and a column is read page by page.
        repeated = [one.name for one in schema if str(one.type) in _REPEATED]
        source = parquet.ParquetFile(file, read_dictionary=repeated, buffer_size=MIB)
    names = [one.name for one in schema if not str(one.type).startswith(_LEFT_OUT)]
    batches = source.iter_batches(batch_size=at_once, columns=names, use_threads=False)
    while True:
        with _limit_memory(pa):
            batch = next(batches, None)
            if batch is None:
                return
            columns = [_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield list(zip(batch.schema.names, row, strict=True))


def _values(column: Any) -> list[object]:
    if not str(column.type).startswith("dictionary"):
        return list(column.to_pylist())
    known = column.dictionary.to_pylist()
    return [None if index is None else known[index] for index in column.indices.to_pylist()]


@contextmanager
def _limit_memory(pa: Any) -> Iterator[None]:
    """Let this process take so much memory and no more, where the system can see to that (Linux).

    The library has no bound of its own, and takes as much as the file says. Other threads have the same bound
    for as long; it is there while the library decodes some rows, and never while they are searched.
    """
    try:
        import resource  # noqa: PLC0415 (not on every system)

        lines = _STATUS.read_text(encoding="ascii").splitlines()
        taken = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    except (ImportError, OSError, StopIteration):
        yield
        return
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = taken + _MOST_MEMORY
    # The usual pool takes a gigabyte at once, and uses it by and by.
    pool = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *(one for one in (before, most) if one >= 0)]), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))
        pa.set_memory_pool(pool)

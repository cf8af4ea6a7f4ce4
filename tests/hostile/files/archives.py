"""Archives and compressed data that are made to break, to exhaust or to mislead who reads them."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from random import Random

import zstandard

__all__ = ["ARCHIVES", "MEMBER"]

MIB = 1024 * 1024
MEMBER = "member.log"
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_RESERVED = 1, 0xFFFFFFFF


def _zip(
    data: bytes, method: int, *, name: bytes = MEMBER.encode(), size: int | None = None, flags: int = 0, times: int = 1
) -> bytes:
    """Return a zip file whose entries, however many, are the same bytes, whatever they say they are."""
    size = len(data) if size is None else size
    sums = zlib.crc32(data), len(data), size
    local = _LOCAL.pack(b"PK\x03\x04", 20, flags, method, 0, 0, *sums, len(name), 0) + name
    central = _CENTRAL.pack(b"PK\x01\x02", 20, 20, flags, method, 0, 0, *sums, len(name), 0, 0, 0, 0, 0, 0) + name
    many = min(times, 0xFFFF)
    end = _END.pack(b"PK\x05\x06", 0, 0, many, many, len(central) * times, len(local) + len(data), 0)
    return local + data + central * times + end


def _written(method: int, size: int) -> bytes:
    """Return a zip file, as the library writes it, with so many zeros in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive, archive.open(MEMBER, "w") as entry:
        for _ in range(size // MIB):
            entry.write(bytes(MIB))
    return target.getvalue()


def _corrupt(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0x5A for byte in data[middle : middle + 64]) + data[middle + 64 :]


def _corrupt_zip(method: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr(MEMBER, _text())
    made = target.getvalue()
    return made[:200] + bytes(byte ^ 0x5A for byte in made[200:264]) + made[264:]


def _text() -> bytes:
    random = Random(7)
    return "\n".join(f"line {random.random()}" for _ in range(5000)).encode()


def _zip_lzma(memory: int) -> bytes:
    return _zip(struct.pack("<HHBL", 0x0909, 5, 0x5D, memory) + b"\0" * 64, 14, size=1000)


def _lzma_bomb() -> bytes:
    quick = [{"id": lzma.FILTER_LZMA1, "preset": 0, "dict_size": MIB, "lc": 3, "lp": 0, "pb": 2}]
    data = _bomb(lambda: lzma.LZMACompressor(lzma.FORMAT_RAW, filters=quick))
    return _zip(struct.pack("<HHBL", 0x0909, 5, 0x5D, MIB) + data, 14)


def _xz_of_much_memory() -> bytes:
    return lzma.compress(b"x" * 100, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 * MIB}])


def _bomb(make: Callable[[], object], size: int = 300) -> bytes:
    packer = make()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size)) + packer.flush()


def _header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size = kind, size
    return made


def _sparse_tar(extended: int = 0) -> bytes:
    """Return a tar file of one entry of 4 TB that is nothing but a hole, in GNU's own format."""
    head = bytearray(_header(MEMBER, tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    whole = 4 * 1024**4
    head[386 : 386 + 24] = _octal(0) + _octal(0)
    head[410 : 410 + 24] = _number(whole - 512) + _number(512)
    head[482] = bool(extended)
    head[483:495] = _number(whole)
    head[124:136] = _octal(512)
    _sum(head)
    more = bytearray(512)
    more[:24] = _octal(8) + _octal(1)
    more[504] = 1
    return bytes(head) + bytes(more) * extended + b"z" * 512 + bytes(1024)


def _octal(number: int) -> bytes:
    return b"%011o\0" % number


def _number(number: int) -> bytes:
    return b"\x80" + number.to_bytes(11, "big")


def _sum(head: bytearray) -> None:
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)


def _endless_tar() -> bytes:
    """Return a tar file whose entry says that it has more bytes than there are anywhere."""
    head = bytearray(_header(MEMBER).tobuf(tarfile.GNU_FORMAT))
    head[124:136] = _number(2**62)
    _sum(head)
    return bytes(head) + b"some text\n" * 60


def _endless_folder() -> bytes:
    head = bytearray(_header("folder", tarfile.SYMTYPE).tobuf(tarfile.GNU_FORMAT))
    head[156:157] = b"V"  # a kind that nobody reads, whose bytes are passed over
    head[124:136] = _number(2**62)
    _sum(head)
    return bytes(head) + b"some text\n" * 60


def _pax_chain(count: int, size: int) -> bytes:
    body = b"%d comment=%s\n" % (size, b"x" * (size - len(str(size)) - 10))
    head = _header("pax", tarfile.XHDTYPE, len(body)).tobuf(tarfile.USTAR_FORMAT)
    return (head + body.ljust(-(-len(body) // 512) * 512, b"\0")) * count + _header(MEMBER).tobuf() + bytes(1024)


def _overlapping_parts() -> bytes:
    body = b"".join(
        b"%d %s\n" % (len(one) + 4, one)
        for one in (b"GNU.sparse.size=1000000", b"GNU.sparse.numblocks=2", b"GNU.sparse.map=9000,9,0,9000")
    )
    head = _header("pax", tarfile.XHDTYPE, len(body)).tobuf(tarfile.USTAR_FORMAT)
    member = _header(MEMBER, size=9009).tobuf(tarfile.USTAR_FORMAT)
    return head + body.ljust(512, b"\0") + member + b"t" * 9216 + bytes(1024)


def _named_tar(name: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_header(name, size=5), io.BytesIO(b"hello"))
    return target.getvalue()


def _zip_in_zip() -> bytes:
    inner = _written(zipfile.ZIP_BZIP2, 64 * MIB)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.zip", inner)
    return target.getvalue()


#: By name: what makes it, and whether something of it must be told as not read.
ARCHIVES: Mapping[str, tuple[Callable[[], bytes], bool]] = {
    "zip: corrupt LZMA": (lambda: _corrupt_zip(zipfile.ZIP_LZMA), True),
    "zip: corrupt bzip2": (lambda: _corrupt_zip(zipfile.ZIP_BZIP2), True),
    "zip: corrupt deflate": (lambda: _corrupt_zip(zipfile.ZIP_DEFLATED), True),
    "zip: corrupt stored": (lambda: _corrupt_zip(zipfile.ZIP_STORED), True),
    "zip: LZMA bomb": (_lzma_bomb, True),
    # Not so large that it is called a bomb, but in one piece it would be more memory than there may be.
    "zip: 200 MiB in a few bytes of bzip2": (lambda: _zip(_bomb(bz2.BZ2Compressor, 200), 12), True),
    "zip: bombs within zips": (_zip_in_zip, True),
    "zip: zstd bomb": (lambda: _zip(_bomb(lambda: zstandard.ZstdCompressor().compressobj()), 93), True),
    "zip: xz that is none": (lambda: _zip(b"x" * 99, 95), True),
    "zip: LZMA that wants 4 GB of memory": (lambda: _zip_lzma(0xFFFFFFFF), True),
    "zip: LZMA with impossible properties": (lambda: _zip(struct.pack("<HHBL", 9, 5, 0xFF, 4096) + b"x", 14), True),
    "zip: LZMA without data": (lambda: _zip(b"\0", 14), True),
    "zip: unknown method": (lambda: _zip(b"x" * 100, 97), True),
    "zip: encrypted": (lambda: _zip(b"x" * 100, 8, flags=1), True),
    "zip: states sizes that it has not": (lambda: _zip(b"x" * 100, 0, size=0xFFFFFFF0), True),
    "zip: 300,000 entries of the same MiB": (lambda: _zip(b"x\n" * (MIB // 2), 0, times=300_000), True),
    "zip: a directory of 40 MB": (lambda: _zip(b"x", 0, times=750_000), True),
    "zip: cut": (lambda: _written(zipfile.ZIP_DEFLATED, 4 * MIB)[:-40], True),
    "zip: no directory": (lambda: b"PK\x05\x06" + b"\xff" * 18, True),
    "zip: lines, codes and turned text in a name": (
        lambda: _zip(b"hello", 0, name="a\nnot read: b\x1b[2J\u202etxt.\u2028\x07".encode(), flags=0x800),
        False,
    ),
    "zip: a name that is no UTF-8": (lambda: _zip(b"hello", 0, name=b"\xff\xfe", flags=0x800), True),
    "tar: sparse, 4 TB": (_sparse_tar, False),
    "tar: sparse, many parts": (lambda: _sparse_tar(10_000), True),
    "tar: parts that overlap": (_overlapping_parts, True),
    "tar: an entry of 4 EB": (_endless_tar, True),
    "tar: something else of 4 EB": (_endless_folder, True),
    "tar: 2,000 headers for one entry": (lambda: _pax_chain(2000, 400), True),
    "tar: 300 headers of 500 kB for one entry": (lambda: _pax_chain(300, 500_000), True),
    "tar: cut": (lambda: _named_tar(MEMBER)[:515], True),
    "tar: lines and codes in a name": (lambda: _named_tar("a\nnot read: b\x1b]0;x\x07\udcff"), False),
    "gzip: bomb": (lambda: _bomb(lambda: zlib.compressobj(9, zlib.DEFLATED, 31)), True),
    "gzip: 100,000 empty members": (lambda: gzip.compress(b"", mtime=0) * 100_000, False),
    "gzip: a name without an end": (lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 4 * MIB, True),
    "gzip: corrupt": (lambda: _corrupt(gzip.compress(_text())), True),
    "gzip: cut": (lambda: gzip.compress(_text())[:1000], True),
    "gzip: something else behind it": (lambda: gzip.compress(b"x") + b"nothing of gzip's", True),
    "bzip2: 100,000 empty streams": (lambda: bz2.compress(b"") * 100_000, False),
    "bzip2: corrupt": (lambda: _corrupt(bz2.compress(_text())), True),
    "xz: 50,000 empty streams": (lambda: lzma.compress(b"") * 50_000, False),
    "xz: wants 512 MB of memory": (_xz_of_much_memory, True),
    "xz: corrupt": (lambda: _corrupt(lzma.compress(_text())), True),
    "zstd: 100,000 empty frames": (lambda: zstandard.compress(b"") * 100_000, False),
    "zstd: corrupt": (lambda: _corrupt(zstandard.compress(_text())), True),
}

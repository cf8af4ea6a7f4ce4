"""Made-up card data, and files that hold it in every packing."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import zstandard

from payproof.scan.luhn import check_digit

__all__ = ["LINES", "MASKED", "PACKINGS", "PAN", "SECRET", "tarred", "zipped"]

PAN = "400005" + "7654321" + "89"
PAN += check_digit(PAN)
MASKED = f"{PAN[:6]}******{PAN[-4:]}"
SECRET = "sk_" + "live_" + "51H8sKdLkdIw" + "Hu7ix4eC39Hq"
LINES = f'started\n{{"card": {{"number": "{PAN}"}}}}\nkey={SECRET}\n'.encode()


def zipped(data: bytes, name: str = "app.log") -> bytes:
    """Return a zip file with one entry."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return made.getvalue()


def tarred(data: bytes, name: str = "app.log") -> bytes:
    """Return a tar file with one entry."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


#: By name, what packs bytes.
PACKINGS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "zip": zipped,
    "tar": tarred,
}

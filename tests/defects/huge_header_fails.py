"""The header is read by a function that calls itself for each entry, and thousands of entries exhaust the stack."""

from tests.defects._planting import before_parsing


def plant() -> None:
    def read(header, start=0):
        end = header.find(",", start)
        return [header[start:]] if end < 0 else [header[start:end], *read(header, end + 1)]

    before_parsing(read)

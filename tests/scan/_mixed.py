"""Log lines with numbers among them, in the surroundings that tell how surely each is a card's."""

from random import Random

from payproof.scan.brands import BRANDS, TEST_NUMBERS
from tests.scan._corpus import masked_forms
from tests.scan._logs import clean_lines
from tests.scan._writing import SEPARATORS, grouped, pan

__all__ = ["BESIDE", "NAMED", "mixed"]

BESIDE = ["", "x", "7", "_", "a_", "%20", "\\n", "\\u0022", "\x1b[0m", "=3D", "**", "xx", ".", "4.", "+", "=", " "]
NAMED = ['{"number": "', "order_id=", "card: ", "trace_id ", '"dd.trace_id": "', "amount=", "[", "pan>", ""]


def mixed(count: int = 6000) -> bytes:
    """Return clean log lines with numbers of every brand among them, in groups and not, as they are and masked."""
    random = Random(5)
    lines = []
    for line in clean_lines(5, count):
        brand = random.choice(BRANDS)
        number = pan(brand, random.choice(brand.lengths), random)
        written = grouped(number, random.choice(["", *SEPARATORS.values()]))
        around = random.choice(NAMED), random.choice(BESIDE), random.choice(BESIDE)
        lines.append(line + f"{around[0]}{around[1]}{written}{around[2]}\n".encode())
    lines += (one.encode() for one in masked_forms(random))
    lines += (f"order_id={number}\n".encode() for number in TEST_NUMBERS)
    return b"".join(lines)

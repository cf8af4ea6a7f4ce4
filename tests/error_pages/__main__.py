"""Makes the kept pages anew from the real frameworks: `python -m tests.error_pages [PROGRAM ...]`.

What a new page leaks is for a person to say: it comes into the index with what the detectors find.
"""

import json
import sys

from payproof.registry import detectors
from tests.error_pages._corpus import FOLDER, found_in
from tests.error_pages._programs import PROGRAMS, answers

INDEX = FOLDER / "index.json"


def main(names: list[str]) -> None:
    """Run the programs, keep their answers, and say where detectors and index differ."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = json.loads(INDEX.read_text()) if INDEX.exists() else {}
    for name in names or PROGRAMS:
        version, pages = answers(name)
        for page, content in pages.items():
            (FOLDER / f"{page}.http").write_bytes(content)
            found = sorted(detector.name for detector in detectors().values() if found_in(detector, content))
            entry = index.setdefault(page, {"leaks": found})
            index[page] = {"program": name, "version": version, "leaks": entry["leaks"]}
            if found != entry["leaks"]:
                sys.stdout.write(f"{page}: leaks {entry['leaks']}, found {found}\n")
    INDEX.write_text(json.dumps(dict(sorted(index.items())), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

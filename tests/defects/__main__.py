"""Starts the reference service with one planted defect: `python -m tests.defects NAME`; `--matrix` tries them all.

What follows the name is a command of the service, such as `purge`, which carries the defect too.
"""

import importlib
import sys


def main(arguments: list[str]) -> int:
    """Plant the named defect and serve, or print the matrix."""
    if arguments == ["--matrix"]:
        from tests.defects._matrix import print_matrix  # noqa: PLC0415 (a defect's process has no use for it)

        return print_matrix()
    name, *command = arguments
    # Without anything of the harness, whose import would be most of the start.
    importlib.import_module(f"tests.defects.{name}").plant()
    from payproof_reference.__main__ import main as serve  # noqa: PLC0415 (after planting, as it binds names)

    return serve(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

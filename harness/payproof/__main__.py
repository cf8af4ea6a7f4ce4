"""`python -m payproof` is the command `payproof`, of the interpreter that it is called with."""

from payproof.cli import main

if __name__ == "__main__":
    main()

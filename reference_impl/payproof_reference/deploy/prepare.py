"""Makes up the secrets of the composed deployment: `python3 prepare.py [FOLDER]`.

One file of variables for each container, so that none is given what it does not need; readable by their owner only, and
never overwritten. Standard library only, so that any Python 3.11 can run it.
"""

import json
import secrets
import string
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = ["main"]

FOLDER = Path(".compose")
ALPHABET = string.ascii_letters + string.digits
WINDOW = timedelta(hours=24)


def main(arguments: Sequence[str]) -> int:
    """Write the files that are not there yet, and say which."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    if any(folder.glob("*.env")):
        print(f"{folder}: kept; to make new secrets, remove it and the volumes")  # noqa: T201 - the answer to a command
        return 0
    for name, variables in make_secrets(datetime.now(UTC)).items():
        file = folder / f"{name}.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{variable}={value}\n" for variable, value in variables.items()))
    print(f"{folder}: made")  # noqa: T201 - as above
    return 0


def make_secrets(now: datetime) -> dict[str, dict[str, str]]:
    """Make up the variables of each container, and of the harness that tests them."""
    owner, service, watcher = make_secret("", 32), make_secret("", 32), make_secret("", 32)
    current, previous, retired = (make_secret("whsec_", 32) for _ in range(3))
    api_key = make_secret("sk_" + "test_", 24)
    # The certificate of the server is checked against its name (PCI DSS 4.2.1).
    database = "postgres/billing?sslmode=verify-full&sslrootcert=/tls/ca.pem"
    working = {
        "BILLING_DATABASE_URL": f"postgresql://billing_service:{service}@{database}",
        "BILLING_AUDIT_KEY": make_secret("", 43),
        "BILLING_CREDENTIAL_KEY": make_secret("", 43),
    }
    rolled = [
        {"secret": previous, "valid_until": (now + WINDOW).isoformat(timespec="seconds")},
        {"secret": retired, "valid_until": (now - WINDOW).isoformat(timespec="seconds")},
    ]
    return {
        "postgres": {
            "POSTGRES_PASSWORD": make_secret("", 32),
            "BILLING_OWNER_PASSWORD": owner,
            "BILLING_SERVICE_PASSWORD": service,
            "BILLING_WATCHER_PASSWORD": watcher,
        },
        "migrate": {
            # Of the service's role only the name is needed here.
            "BILLING_DATABASE_URL": f"postgresql://billing_service@{database}",
            "BILLING_MIGRATION_DATABASE_URL": f"postgresql://billing_owner:{owner}@{database}",
        },
        # Beside what `migrate` is given: an operator's records and credentials are made under the service's keys.
        "operator": working,
        "billing": {
            **working,
            "BILLING_STRIPE_WEBHOOK_SECRET": current,
            "BILLING_STRIPE_PREVIOUS_WEBHOOK_SECRETS": json.dumps(rolled, separators=(",", ":")),
            "BILLING_STRIPE_API_KEY": api_key,
        },
        "payproof": {
            "PAYPROOF_WEBHOOK_SECRET": current,
            "PAYPROOF_PREVIOUS_WEBHOOK_SECRET": previous,
            "PAYPROOF_RETIRED_WEBHOOK_SECRET": retired,
            "PAYPROOF_API_KEY": api_key,
            "PAYPROOF_STORE_URL": f"postgresql://billing_watcher:{watcher}@postgres/billing?sslmode=verify-full",
        },
    }


def make_secret(prefix: str, length: int) -> str:
    """Make up a secret."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the deployment is made of, as far as it shows without an engine."""

import os
import re
import ssl
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
import yaml
from cryptography import x509

from payproof_reference.deploy import certificates, prepare
from payproof_reference.settings import DatabaseSettings, Settings, load_settings

ROOT = Path(__file__).parents[2]
PREPARE = ROOT / "reference_impl/payproof_reference/deploy/prepare.py"
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
# The one whose start is root's, and the rights that this takes.
PRIVILEGED = {"postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_confined(name):
    """Each container can write nothing but its volumes, gain no rights, and take only its share of the machine."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert set(service.get("cap_add", ())) <= PRIVILEGED.get(name, {"NET_BIND_SERVICE"})
    assert name in PRIVILEGED or service["user"] == "10001:10001"
    assert not {"privileged", "pid", "ipc", "devices"} & service.keys()
    assert all(not str(volume).endswith("docker.sock") for volume in service.get("volumes", ()))


def test_only_the_proxy_publishes_a_port_and_only_on_this_machine():
    """Every other container is on networks without a way in or out."""
    networks = yaml.safe_load(TEXT)["networks"]
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["caddy"]
    assert SERVICES["caddy"]["ports"][0].startswith("${PAYPROOF_ADDRESS:-127.0.0.1}:")
    for name, service in SERVICES.items():
        open_ones = [one for one in service.get("networks", ()) if not (networks[one] or {}).get("internal")]
        assert open_ones == (["edge"] if name == "caddy" else [])
        assert service.get("networks") or service["network_mode"] == "none"


def test_each_image_is_a_variable_with_a_pinned_public_default():
    """Whoever has another registry names another image; nobody gets whatever is the latest."""
    images = re.findall(r"(?:image|PYTHON_IMAGE): \$\{(PAYPROOF_[A-Z_]+_IMAGE):-([^}]+)\}", TEXT)
    assert {name for name, _ in images} == {
        f"PAYPROOF_{one}_IMAGE" for one in ("BILLING", "CADDY", "POSTGRES", "PYTHON", "STRIPE_MOCK")
    }
    for name, default in images:
        assert name == "PAYPROOF_BILLING_IMAGE" or re.search(r":v?\d+(\.\d+)*", default)


def test_no_secret_is_in_the_repository():
    """What is secret is named by files that are ignored, and stands in none that is kept."""
    assert "/.compose/" in (ROOT / ".gitignore").read_text().splitlines()
    for file in [ROOT / "docker-compose.yml", *(ROOT / "reference_impl/deploy").rglob("*")]:
        if file.is_file() and file.suffix not in {".py", ".pyc"}:
            assert not re.search(r"(?i)(password|secret|_key)\w*\s*[:=]\s*[\"']?[A-Za-z0-9]{20,}", file.read_text()), (
                file
            )


@pytest.fixture
def made(tmp_path):
    """The secrets of one deployment, by file."""
    prepare.main([str(tmp_path / "secrets")])
    return {file.stem: dict(line.split("=", 1) for line in file.read_text().splitlines()) for file in files(tmp_path)}


def files(folder):
    return sorted((folder / "secrets").glob("*.env"))


def test_secrets_are_made_once_for_their_owner_only(tmp_path, made, capsys):
    """Nobody else can read them, a second run leaves them, and another folder has others."""
    before = [file.read_bytes() for file in files(tmp_path)]
    assert {file.stat().st_mode & 0o777 for file in files(tmp_path)} == {0o600}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    prepare.main([str(tmp_path / "secrets")])
    assert [file.read_bytes() for file in files(tmp_path)] == before
    for values in made.values():
        assert all(value not in capsys.readouterr().out for value in values.values())
    prepare.main([str(tmp_path / "other")])
    assert not set(before) & {file.read_bytes() for file in (tmp_path / "other").glob("*.env")}


def test_secrets_are_such_as_the_service_takes(made, monkeypatch):
    """The settings take them beside what the compose file sets; the way to the database is TLS for both roles."""
    for name in [name for name in os.environ if name.startswith("BILLING_")]:
        monkeypatch.delenv(name)
    beside = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
        for name, value in SERVICES["billing"]["environment"].items()
    }
    for name, value in (beside | made["billing"]).items():
        monkeypatch.setenv(name, value)
    settings = load_settings(Settings)
    assert [str(network) for network in settings.trusted_proxies] == ["172.31.213.0/29"]
    addresses = [settings.database_url.get_secret_value(), *made["migrate"].values()]
    assert all("?sslmode=verify-full&sslrootcert=/tls/ca.pem" in address for address in addresses)
    for name, value in made["migrate"].items():
        monkeypatch.setenv(name, value)
    assert load_settings(DatabaseSettings).migration_database_url is not None


def test_each_container_gets_only_its_own_secrets(made):
    """The service does not know the owner's password, nor the migration the keys, and PostgreSQL knows no keys."""
    owner, service = (made["postgres"][f"BILLING_{role}_PASSWORD"] for role in ("OWNER", "SERVICE"))
    assert owner not in str(made["billing"])
    assert service in made["billing"]["BILLING_DATABASE_URL"]
    assert service not in str(made["migrate"])
    assert owner in made["migrate"]["BILLING_MIGRATION_DATABASE_URL"]
    assert set(made["migrate"]) == {"BILLING_DATABASE_URL", "BILLING_MIGRATION_DATABASE_URL"}
    assert set(made["operator"]) == {"BILLING_AUDIT_KEY", "BILLING_CREDENTIAL_KEY", "BILLING_DATABASE_URL"}
    for name, service_entry in SERVICES.items():
        # An operator acts as the owner of the tables, under the service's keys.
        files = ["migrate", "operator"] if name == "operator" else [name] if name in made else []
        expected = [f"${{PAYPROOF_SECRETS:-.compose}}/{file}.env" for file in files]
        assert service_entry.get("env_file", []) == expected


def test_preparation_needs_nothing_installed(tmp_path):
    """The secrets are made by an interpreter that has no package of this project's."""
    run = [sys.executable, "-S", PREPARE, str(tmp_path / "secrets")]
    assert subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30).stdout.endswith(
        "made\n"
    )


@pytest.fixture
def folder(tmp_path):
    """The folders of the certificates, as the image has them."""
    for name in ("authority", "trust", *certificates.SERVERS):
        (tmp_path / name).mkdir()
    return tmp_path


def test_certificates_are_kept_while_they_last(folder):
    """Each server gets a certificate of its name from one authority; a second run changes none."""
    certificates.main([str(folder)])
    before = {file: file.read_bytes() for file in folder.rglob("*.pem")}
    for name in certificates.SERVERS:
        leaf = x509.load_pem_x509_certificate(before[folder / name / "certificate.pem"])
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [name]
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(before[folder / "trust" / "ca.pem"]))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            folder / name / "certificate.pem", folder / name / "key.pem"
        )
        assert (folder / name / "key.pem").stat().st_mode & 0o777 == 0o600
    certificates.main([str(folder)])
    assert {file: file.read_bytes() for file in folder.rglob("*.pem")} == before


def test_certificate_near_its_end_is_made_anew(folder):
    """One that has less than 30 days left is replaced by the same authority; the others stay."""
    certificates.main([str(folder)])
    authority = trustme.CA.from_pem(*((folder / "authority" / name).read_bytes() for name in ("ca.pem", "key.pem")))
    old = authority.issue_cert("billing", not_after=datetime.now(UTC) + timedelta(days=29))
    old.cert_chain_pems[0].write_to_path(folder / "billing" / "certificate.pem")
    others = (folder / "postgres" / "certificate.pem").read_bytes()
    certificates.main([str(folder)])
    renewed = x509.load_pem_x509_certificate((folder / "billing" / "certificate.pem").read_bytes())
    assert renewed.not_valid_after_utc > datetime.now(UTC) + timedelta(days=89)
    renewed.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "authority" / "ca.pem").read_bytes()))
    assert (folder / "postgres" / "certificate.pem").read_bytes() == others


def test_image_has_the_locked_versions_and_no_others():
    """What the image installs is a part of requirements.lock, hash by hash, and has all that the service asks for."""
    whole, part = (locked(ROOT / name) for name in ("requirements.lock", "reference_impl/deploy/requirements.lock"))
    assert part.items() <= whole.items()
    assert all(hashes for hashes in part.values())
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["reference"]
    present = {requirement.partition("==")[0] for requirement in part}
    assert {re.match(r"[a-z-]+", requirement)[0] for requirement in asked} <= present
    assert not {"pytest", "mypy", "testcontainers", "faker"} & present


def locked(file):
    """Read the requirements of a lock file with their hashes; markers may differ between two locks."""
    entries = re.split(r"\n(?=\S)", file.read_text())
    return {entry.split()[0]: frozenset(re.findall(r"--hash=(\S+)", entry)) for entry in entries}

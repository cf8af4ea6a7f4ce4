"""How a target is told to call the upstream in place of Stripe, with each of Stripe's SDKs."""

from urllib.parse import urlsplit

__all__ = ["how_to_point", "write_base"]


def write_base(sdk: str, url: str) -> str:
    """Return the line that sets the API base of an SDK, or an empty text where the SDK is not known."""
    return _write_bases(url).get(sdk, "")


def _write_bases(url: str) -> dict[str, str]:
    """Return for each SDK how its API base is set.

    Read in the sources of stripe-python 16.1.0, stripe-node 23.1.0 and stripe-go 85.0.0, and in those of stripe-ruby,
    stripe-java, stripe-php and stripe-dotnet as of 2026.
    """
    parts = urlsplit(url)
    return {
        "python": f"stripe.StripeClient(key, base_addresses={{'api': '{url}'}}), or stripe.api_base = '{url}'",
        "node": f"new Stripe(key, {{protocol: '{parts.scheme}', host: '{parts.hostname}', port: {parts.port}}})",
        "go": "stripe.NewClient(key, stripe.WithBackends(stripe.NewBackendsWithConfig("
        f'&stripe.BackendConfig{{URL: stripe.String("{url}")}})))',
        "ruby": f"Stripe.api_base = '{url}'",
        "java": f'StripeClient.builder().setApiKey(key).setApiBase("{url}").build(), or '
        f'Stripe.overrideApiBase("{url}")',
        "php": f"new \\Stripe\\StripeClient(['api_key' => $key, 'api_base' => '{url}'])",
        "dotnet": f'new StripeClient(new StripeClientOptions {{ ApiKey = key, ApiBase = "{url}" }})',
    }


def how_to_point(url: str, ca_file: str | None = None) -> str:
    """Return a line for each SDK: where its API base is set, and for HTTPS how it comes to trust the certificate."""
    parts = urlsplit(url)
    trust = {
        "python": f"stripe.ca_bundle_path = {ca_file!r}",
        "node": f"NODE_EXTRA_CA_CERTS={ca_file}",
        "go": f"SSL_CERT_FILE={ca_file}",
        "ruby": f"Stripe.ca_bundle_path = {ca_file!r}",
        "java": f"keytool -importcert -file {ca_file}, and -Djavax.net.ssl.trustStore",
        "php": f"\\Stripe\\Stripe::setCABundlePath({ca_file!r})",
        "dotnet": f"SSL_CERT_FILE={ca_file} (Linux)",
    }
    lines = [f"the target has not called {url}; set it as the base of Stripe's API, for example in"]
    for name, how in _write_bases(url).items():
        also = f"; trust: {trust[name]}" if parts.scheme == "https" and ca_file else ""
        lines.append(f"  stripe-{name}: {how}{also}")
    return "\n".join(lines)

"""Settings that everybody knows: what a missing one turns into, and what is left of an example file."""

from collections.abc import Mapping

__all__ = ["API_KEYS", "SECRETS"]

#: Webhook secrets by name, each with words for it. Those with ``whsec_`` stand as defaults in many a public repository,
#: as the value of ``STRIPE_WEBHOOK_SECRET`` in example files or behind ``||`` in the code.
SECRETS: Mapping[str, tuple[str, str]] = {
    "empty": ("", "an empty key"),
    "space": (" ", "a space as key"),
    "tab": ("\t", "a tab as key"),
    "nbsp": ("\u00a0", "a no-break space as key, which ASCII-only trimming leaves"),
    "zero_width": ("\u200b", "a zero-width space as key, which no trimming takes away"),
    "none": ("None", "`None` as key, a missing Python setting made text"),
    "null": ("null", "`null` as key"),
    "undefined": ("undefined", "`undefined` as key, a missing JavaScript setting made text"),
    "prefix_only": ("whsec_", "the bare prefix of secrets as key"),
    "prefix_dots": ("whsec_" + "...", "the placeholder of Stripe's examples as key"),
    "prefix_crosses": ("whsec_" + "xxx", "`xxx` behind the prefix as key"),
    "placeholder": ("whsec_" + "placeholder", "the word `placeholder` behind the prefix as key"),
    "your_secret": ("whsec_" + "your_webhook_secret", "the placeholder of example files as key"),
    "test": ("whsec_" + "test", "the word `test` behind the prefix as key"),
    "test_secret": ("whsec_" + "test_secret", "the secret of Stripe's own test suites as key"),
    "changeme": ("changeme", "`changeme` as key"),
}

#: API keys by name, as far as one can tell them from a key.
API_KEYS: Mapping[str, str] = {
    "empty": "",
    "space": " ",
    "none": "None",
    "undefined": "undefined",
    "prefix_dots": "sk_" + "test_" + "...",
    "changeme": "changeme",
}

"""Any certificate of a known authority is taken for Stripe's, whatever host it is of."""

from payproof_reference.services.stripe import sdk


def plant() -> None:
    right = sdk.build_context

    def trusting(ca_file):
        context = right(ca_file)
        context.check_hostname = False
        return context

    sdk.build_context = trusting

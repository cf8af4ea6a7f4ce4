"""A body that is no UTF-8 is an error that nobody handles."""

from payproof_reference.middleware import card_data


def plant() -> None:
    parse_body = card_data.parse_body

    def decoding(request, body):
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise RuntimeError from error
        return parse_body(request, body)

    card_data.parse_body = decoding

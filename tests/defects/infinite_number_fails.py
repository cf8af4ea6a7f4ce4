"""A number that is none in JSON is an error that nobody handles."""

from payproof_reference.middleware import card_data


def plant() -> None:
    parse_body = card_data.parse_body

    def counting(request, body):
        assert b"NaN" not in body
        return parse_body(request, body)

    card_data.parse_body = counting

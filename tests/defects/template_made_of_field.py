"""What was sent is rendered as a template, and one that is none fails."""

from payproof_reference.middleware import card_data


def plant() -> None:
    parse_body = card_data.parse_body

    def rendering(request, body):
        content = parse_body(request, body)
        if isinstance(content, dict):
            assert not any("{{" in str(value) for value in content.values())
        return content

    card_data.parse_body = rendering

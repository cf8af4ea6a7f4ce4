"""What was sent is put into SQL as it is, before anything else looks at it."""

from sqlalchemy import text

from payproof_reference.middleware import card_data


def plant() -> None:
    look_through = card_data.look_through

    async def looking_up(request):
        body = await look_through(request)
        content = card_data.parse_body(request, body)
        if isinstance(content, dict) and isinstance(content.get("customer_id"), str):
            with request.app.state.engine.connect() as connection:
                found = content["customer_id"].replace(":", "")
                connection.execute(text(f"SELECT 1 FROM customers WHERE stripe_customer_id = '{found}'"))
        return body

    card_data.look_through = looking_up

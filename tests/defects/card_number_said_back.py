"""Whoever sends a card number is told which one was refused."""

import re

from starlette.responses import JSONResponse

from payproof_reference.middleware import card_data


def plant() -> None:
    look_through = card_data.look_through

    async def answer(self, scope, receive, send):
        if scope["path"] in card_data.paths.WEBHOOKS:
            await self.app(scope, receive, send)
            return
        seen = bytearray(scope["query_string"])

        async def noting():
            message = await receive()
            seen.extend(message.get("body", b""))
            return message

        try:
            body = await look_through(card_data.Request(scope, noting))
        except card_data.RequestRefusedError as refusal:
            told = [digits.decode() for digits in re.findall(rb"\d{13,19}", bytes(seen))]
            body = {"error": {"code": "refused", "message": f"Not to be sent: {', '.join(told)}"}}
            await JSONResponse(body, refusal.status)(scope, receive, send)
        else:
            await self.app(scope, card_data.replay_body(body, receive), send)

    card_data.CardData.__call__ = answer

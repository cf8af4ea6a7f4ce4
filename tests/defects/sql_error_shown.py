"""A refusal is noted in a table that is not there, and answered with what the database says to that."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        try:
            with request.app.state.engine.connect() as connection:
                connection.execute(text("INSERT INTO refusals (cause) VALUES (:cause)"), {"cause": str(cause)})
        except SQLAlchemyError as error:
            return JSONResponse({"error": str(error)}, reject(request, cause).status_code)

    stripe.reject = telling

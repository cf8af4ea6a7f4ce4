"""A quote in a query ends in an error of the database, which is the answer."""

from starlette.responses import JSONResponse

from tests.defects._planting import answered_otherwise


def plant() -> None:
    def shown(scope):
        if b"%27" in scope["query_string"]:
            text = "syntax error at or near \"AND\"\nLINE 1: SELECT * FROM customers WHERE id = ''' AND tenant_id = 1"
            return JSONResponse({"error": f"(psycopg.errors.SyntaxError) {text}"}, 400)
        return None

    answered_otherwise(shown)

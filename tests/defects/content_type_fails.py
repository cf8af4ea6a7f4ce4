"""A content type that is none of the known ones is an error that nobody handles."""

from payproof_reference.routes import stripe

KNOWN = {"application/json": True}


def plant() -> None:
    require_json = stripe.require_json

    def requiring(request):
        for stated in request.headers.getlist("content-type"):
            assert KNOWN[stated.partition(";")[0]]
        require_json(request)

    stripe.require_json = requiring

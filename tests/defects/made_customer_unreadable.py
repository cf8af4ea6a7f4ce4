"""To tell of a customer that is there is an error that nobody handles; of one that is not, all goes well."""

from reference_impl.routes import customers


def plant() -> None:
    for route in customers.router.routes:
        if route.path == "/customers/{customer_id}":
            told = route.dependant.call

            def failing(told=told, **given):
                told(**given)
                raise KeyError("name")

            route.dependant.call = failing

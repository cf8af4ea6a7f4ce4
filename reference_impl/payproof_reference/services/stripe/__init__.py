"""The only way to Stripe: nothing else in the service knows the SDK, its errors or its retries.

`port` says what can be asked, `live` asks it by the SDK. `connection` keeps the client, `calls` repeats what failed as
`retry` decides, `breaker` leaves Stripe alone while it is down, and `errors` reduces failures to what may be shown.
`snapshots` are the objects that come back, in events too.
"""

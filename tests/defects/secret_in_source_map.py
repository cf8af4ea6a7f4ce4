"""A source map is served that holds a key."""

import json

from tests.defects._access import serve

SOURCE = f'const stripe = new Stripe("{"sk_" + "test_"}{"4eC39HqLyjWDarjtT1zdp7dc"}");'


def plant() -> None:
    content = {"version": 3, "sources": ["server.ts"], "sourcesContent": [SOURCE], "mappings": "AAAA"}
    serve("/main.js.map", json.dumps(content), "application/json")

"""The README's integration with one user, who has bought a pack, and an order that waits for its payment; on SQLite."""

import logging
import os
from pathlib import Path
from typing import Annotated

import gringotts
import stripe
import uvicorn
from fastapi import Depends, FastAPI
from gringotts import CreditedUser, CreditPack, GringottsConfig, charge, cli, crud
from gringotts.db import SessionLocal

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
stripe.api_base = os.environ["STRIPE_API_BASE"]
app = FastAPI()
gringotts.init_app(
    app,
    GringottsConfig(
        packs=[CreditPack(credits=100, price_cents=500, name="Starter")],
        stripe_secret_key=os.environ["STRIPE_API_KEY"],
        idempotency_replay_validator=lambda _scope: True,
    ),
)


@app.post("/predict")
def predict(user: Annotated[CreditedUser, Depends(charge(1))]):
    return {"result": "..."}


def make_database() -> None:
    cli.main(["init-db"])
    cli.main(["create-user", "ada", "--credits", "5"])
    with SessionLocal() as db:
        crud.grant_credits(
            db,
            crud.get_user_by_username(db, "ada"),
            100,
            kind="purchase",
            external_id="cs_test_Neighbour0Ada1",
            amount_cents=500,
            payment_intent_id="pi_Neighbour0Ada1",
            currency="usd",
        )


if __name__ == "__main__":
    if not Path("gringotts.db").exists():
        make_database()
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))

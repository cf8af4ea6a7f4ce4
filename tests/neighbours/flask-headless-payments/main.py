"""The README's set-up with one known customer, on SQLite."""

import logging
import os
from pathlib import Path

import stripe
from flask import Flask
from flask_headless_payments import PaymentSvc, SubscriptionMixin
from flask_jwt_extended import JWTManager
from flask_sqlalchemy import SQLAlchemy

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
stripe.api_base = os.environ["STRIPE_API_BASE"]
app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["APP_SECRET"],
    JWT_SECRET_KEY=os.environ["APP_SECRET"],
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{Path.cwd()}/shop.sqlite3",
    STRIPE_API_KEY=os.environ["STRIPE_API_KEY"],
    STRIPE_WEBHOOK_SECRET=os.environ["STRIPE_WEBHOOK_SECRET"],
)
db = SQLAlchemy(app)
jwt = JWTManager(app)


class User(db.Model, SubscriptionMixin):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(255), unique=True, nullable=False)


payments = PaymentSvc(
    app,
    user_model=User,
    plans={
        "free": {"name": "Free", "price_id": None, "features": ["basic_features"], "limits": {"api_calls": 100}},
        "pro": {
            "name": "Pro",
            "price_id": "price_Neighbour0Pro1",
            "features": ["basic_features", "advanced_features"],
            "limits": {"api_calls": 1000},
        },
    },
)

if __name__ == "__main__":
    with app.app_context():
        db.create_all()
        db.session.add(User(email="ada@example.test", stripe_customer_id="cus_Neighbour0Ada1"))
        db.session.commit()
    serve = ["gunicorn", "--bind", f"127.0.0.1:{os.environ['PORT']}", "--threads", "4", "main:app"]
    os.execvp(serve[0], serve)

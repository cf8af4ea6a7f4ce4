"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

import django
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()
# For the tests: one planted fault, by its name in defects.py.
if planted := os.environ.get("BILLING_DEFECT"):
    getattr(import_module("defects"), planted)()
application = WSGIHandler()

import sys

import django
import rest_framework
from django.apps import apps
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from serving import announce, fail, page, waitress

debug = sys.argv[1] == "debug"
settings.configure(
    DEBUG=debug,
    SECRET_KEY="made up for this page",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
    LOGGING_CONFIG=None,
)
application = get_wsgi_application()

from rest_framework import serializers  # noqa: E402 (it reads the settings)
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Amount(serializers.Serializer):
    amount = serializers.IntegerField()


class Hook(APIView):
    authentication_classes = ()
    # The browsable page is what REST framework gives by default; a careful production leaves it out.
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer) if debug else (JSONRenderer,)

    def post(self, request):
        Amount(data=request.data).is_valid(raise_exception=True)


def invoices(request):
    return apps.get_model("auth", "User").objects.get(id=1)


@csrf_exempt
def hook(request):
    return fail()


urlpatterns = [
    path("webhooks/stripe", hook),
    path("form", lambda request: None),
    path("invoices", csrf_exempt(invoices)),
    path("api/hook", Hook.as_view()),
]
port = waitress(application)
mode = sys.argv[1]
pages = {
    "500": page(port, Accept="text/html"),
    "500_text": page(port, Accept="application/json"),
    "404": page(port, "/nothing", Accept="text/html"),
    "403_csrf": page(port, "/form", Accept="text/html"),
    "400_host": page(port, Accept="text/html", Host="elsewhere.example"),
    "500_database": page(port, "/invoices", Accept="text/html"),
    "drf_400": page(port, "/api/hook", Accept="application/json"),
    "drf_405_html": page(port, "/api/hook", method="GET", Accept="text/html"),
}
announce(
    f"{django.__version__}, REST framework {rest_framework.__version__}",
    **{f"django_{mode}_{name}": told for name, told in pages.items()},
)

"""An OpenID Connect issuer on 127.0.0.1: Django OAuth Toolkit with one person, who is always signed in.

Arguments: the folder for its database, and the addresses that it sends browsers back to. Prints its port. `POST /rotate` signs with a new key from then on and goes on publishing
the one before; `POST /rotate?forget=1` publishes the new one alone. `POST /down` answers 503 from then on, `POST /up` no more.
"""

import os
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

FOLDER, BACK = sys.argv[1], sys.argv[2:]
STATE = {"down": False, "fetched": 0}


def new_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class SignedIn:
    """Whoever comes is Ana; and the whole issuer can be down."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from django.contrib.auth import get_user_model
        from django.http import HttpResponse

        if request.path.endswith("jwks.json"):
            STATE["fetched"] += 1
        if STATE["down"] and request.path.startswith("/o/"):
            return HttpResponse(status=503)
        request.user = get_user_model().objects.get(username="ana")
        return self.get_response(request)


def main():
    server = make_server("127.0.0.1", 0, None, server_class=Server, handler_class=Quiet)
    port = server.server_port
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    settings.configure(
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(FOLDER, "issuer.sqlite")}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.SignedIn"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OIDC_RSA_PRIVATE_KEY": new_key(),
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE": [],
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
            "SCOPES": {"openid": "who somebody is"},
            "PKCE_REQUIRED": True,
        },
    )
    django.setup()

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import include, path
    from django.views.decorators.csrf import csrf_exempt
    from oauth2_provider.models import get_application_model
    from oauth2_provider.oauth2_validators import OAuth2Validator
    from oauth2_provider.settings import oauth2_settings

    class Validator(OAuth2Validator):
        oidc_claim_scope = None

        def get_additional_claims(self, request):
            return {"groups": ["staff", "ecg"], "email": request.user.email}

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("ana", "ana@lab.example", "ana's password")
    applications = get_application_model().objects
    for name, kind, algorithm in [
        ("page", "public", "RS256"),
        ("server", "confidential", "RS256"),
        ("shared-secret", "confidential", "HS256"),
    ]:
        applications.create(
            client_id=name,
            client_type=kind,
            client_secret="a client's secret & more, of 32 bytes or more",
            hash_client_secret=False,
            authorization_grant_type="authorization-code",
            redirect_uris=" ".join(BACK),
            algorithm=algorithm,
            skip_authorization=True,
        )

    @csrf_exempt
    def rotate(request):
        kept = [] if "forget" in request.GET else [oauth2_settings.OIDC_RSA_PRIVATE_KEY]
        settings.OAUTH2_PROVIDER = {
            **settings.OAUTH2_PROVIDER,
            "OIDC_RSA_PRIVATE_KEY": new_key(),
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE": kept,
        }
        oauth2_settings.reload()
        return HttpResponse("rotated")

    @csrf_exempt
    def down(_):
        STATE["down"] = True
        return HttpResponse("down")

    @csrf_exempt
    def up(_):
        STATE["down"] = False
        return HttpResponse("up")

    module = sys.modules[__name__]
    module.Validator = Validator
    module.urlpatterns = [
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("rotate", rotate),
        path("down", down),
        path("up", up),
        path("fetched", lambda _: HttpResponse(str(STATE["fetched"]))),
    ]
    server.set_app(get_wsgi_application())
    print(port, flush=True)
    server.serve_forever()


main()

"""Writes and reads sessions with the packages of other systems, for the tests in ../tests/formats and
../tests/migration.

Each line of the input is a request in JSON, each line of the output its answer: the members of a request are `system`, `do`
(a function of the system's class), `now` and what that function takes.
"""

import asyncio
import json
import sys
import time
import traceback


def set_time(now):
    time.time = lambda: now


def cookie_of(header):
    """Returns the value in a Set-Cookie header, as it is on the wire."""
    return header.split(";")[0].split("=", 1)[1]


def visit(wrap, cookie, handler, name="session"):
    """Sends one request through an ASGI middleware, and returns the cookie that the response sets."""
    set_cookies = []

    async def app(scope, receive, send):
        handler(scope["session"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        for key, value in message.get("headers", []):
            if key.lower() == b"set-cookie":
                set_cookies.append(value.decode())

    headers = [(b"host", b"localhost")]
    if cookie is not None:
        headers.append((b"cookie", f"{name}={cookie}".encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
    }
    asyncio.run(wrap(app)(scope, receive, send))
    return cookie_of(set_cookies[0]) if set_cookies else None


class Middleware:
    """A system whose sessions come from an ASGI middleware, with one secret."""

    def write(self, secret, values, **settings):
        return visit(self.wrap(secret, **settings), None, lambda session: session.update(values))

    def read(self, secret, cookie, **settings):
        seen = {}
        visit(self.wrap(secret, **settings), cookie, lambda session: seen.update(session))
        return seen


class Starlette(Middleware):
    def wrap(self, secret, **settings):
        from starlette.middleware.sessions import SessionMiddleware

        return lambda app: SessionMiddleware(app, secret_key=secret, **settings)


class Ravyn(Middleware):
    def wrap(self, secret, **settings):
        from ravyn.core.config.session import SessionConfig
        from ravyn.middleware.sessions import SessionMiddleware

        # As Ravyn does when an application has a session_config.
        config = SessionConfig(secret_key=secret, **settings)
        return lambda app: SessionMiddleware(app, **config.model_dump())


class Itsdangerous:
    def signer(self, secrets, salt, derivation):
        from itsdangerous import TimestampSigner

        # The newest is the last one here.
        return TimestampSigner(secrets[::-1], salt=salt, key_derivation=derivation)

    def write(self, secrets, salt, derivation, value):
        return self.signer(secrets, salt, derivation).sign(value).decode()

    def read(self, secrets, salt, derivation, cookie, max_age):
        from itsdangerous import BadSignature

        try:
            return self.signer(secrets, salt, derivation).unsign(cookie, max_age=max_age).decode()
        except BadSignature:
            return None


class Flask:
    def client(self, secrets, handler, cookie=None):
        import flask

        app = flask.Flask("peer")
        app.secret_key = secrets[0]
        app.config["SECRET_KEY_FALLBACKS"] = secrets[1:]

        @app.get("/")
        def index():
            handler(flask.session)
            return ""

        headers = {"Cookie": f"session={cookie}"} if cookie else {}
        return app.test_client(use_cookies=False).get("/", headers=headers)

    def write(self, secrets, values):
        return cookie_of(self.client(secrets, lambda session: session.update(values)).headers["Set-Cookie"])

    def write_types(self, secrets):
        """Writes a value of each type that has a tag."""
        from datetime import datetime, timezone
        from uuid import UUID

        from markupsafe import Markup

        return self.write(
            secrets,
            {
                "tuple": ("a", (1, [2])),
                "bytes": b"\x00\xff",
                "markup": Markup("<b>"),
                "uuid": UUID("3f2b8c1e-1111-4222-8333-444455556666"),
                "datetime": datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
                "object": {" t": {" u": "no tags"}},
                "_flashes": [("info", "Saved")],
            },
        )

    def read(self, secrets, cookie):
        seen = {}
        self.client(secrets, lambda session: seen.update(session), cookie)
        return seen

    def messages(self, secrets, cookie):
        """Returns what `flash()` left."""
        import flask

        seen = []
        self.client(secrets, lambda _: seen.extend(flask.get_flashed_messages(with_categories=True)), cookie)
        return seen


class Django:
    def setup(self, secrets):
        from django.conf import settings

        if not settings.configured:
            settings.configure(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
            import django

            django.setup()
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = secrets[0], secrets[1:]

    def visit(self, secrets, handler, cookie=None):
        self.setup(secrets)
        from django.contrib.sessions.middleware import SessionMiddleware
        from django.http import HttpResponse
        from django.test import RequestFactory

        def respond(request):
            handler(request.session)
            return HttpResponse()

        headers = {"HTTP_COOKIE": f"sessionid={cookie}"} if cookie else {}
        return SessionMiddleware(respond)(RequestFactory().get("/", **headers))

    def write(self, secrets, values):
        response = self.visit(secrets, lambda session: session.update(values))
        return cookie_of(response.cookies["sessionid"].OutputString())

    def read(self, secrets, cookie):
        seen = {}
        self.visit(secrets, lambda session: seen.update(session.items()), cookie)
        return seen

    def store(self, secrets):
        self.setup(secrets)
        from django.contrib.sessions.backends.base import SessionBase

        # The store of a database, without its table: the salt is made of the name of the class.
        return type("SessionStore", (SessionBase,), {})()

    def encode(self, secrets, values):
        return self.store(secrets).encode(values)

    def decode(self, secrets, cookie):
        return self.store(secrets).decode(cookie)


class DjangoDatabase:
    """Django with its sessions and its users in a database."""

    def setup(self, path, secrets):
        from django.conf import settings
        from django.db import connection

        if not settings.configured:
            settings.configure(
                DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
                DEFAULT_AUTO_FIELD="django.db.models.AutoField",
                INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
                SESSION_ENGINE="django.contrib.sessions.backends.db",
                USE_TZ=True,
            )
            import django

            django.setup()
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = secrets[0], secrets[1:]
        # One process works for several tests, each of which has a database of its own.
        connection.close()
        connection.settings_dict["NAME"] = path

    def user(self, name):
        from django.contrib.auth.models import User

        return User.objects.get(username=name)

    def create_user(self, path, secrets, name, password):
        self.setup(path, secrets)
        from django.contrib.auth.models import User
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        User.objects.create_user(name, password=password)

    def change_password(self, path, secrets, name, password):
        self.setup(path, secrets)
        user = self.user(name)
        user.set_password(password)
        user.save()

    def deactivate(self, path, secrets, name):
        self.setup(path, secrets)
        user = self.user(name)
        user.is_active = False
        user.save()

    def visit(self, path, secrets, handler, cookie=None):
        self.setup(path, secrets)
        from django.contrib.auth.middleware import AuthenticationMiddleware
        from django.contrib.sessions.middleware import SessionMiddleware
        from django.http import HttpResponse
        from django.test import RequestFactory

        def respond(request):
            handler(request)
            return HttpResponse()

        headers = {"HTTP_COOKIE": f"sessionid={cookie}"} if cookie else {}
        return SessionMiddleware(AuthenticationMiddleware(respond))(RequestFactory().get("/", **headers))

    def write(self, path, secrets, values):
        response = self.visit(path, secrets, lambda request: request.session.update(values))
        return cookie_of(response.cookies["sessionid"].OutputString())

    def login(self, path, secrets, name, values):
        def handler(request):
            from django.contrib.auth import login

            login(request, self.user(name), backend="django.contrib.auth.backends.ModelBackend")
            request.session.update(values)

        return cookie_of(self.visit(path, secrets, handler).cookies["sessionid"].OutputString())

    def logout(self, path, secrets, cookie):
        def handler(request):
            from django.contrib.auth import logout

            logout(request)

        self.visit(path, secrets, handler, cookie)

    def read(self, path, secrets, cookie):
        seen = {}

        def handler(request):
            seen["user"] = request.user.username or None
            seen["values"] = dict(request.session.items())

        self.visit(path, secrets, handler, cookie)
        return seen


class Muffin:
    """The three of Muffin-Session, by their `session_type`."""

    def plugin(self, session_type, secret):
        from muffin import Application
        from muffin_session import Plugin

        return Plugin(Application(), session_type=session_type, secret_key=secret)

    def write(self, session_type, secret, values):
        plugin = self.plugin(session_type, secret)
        session = plugin.create_from_token()
        for key, value in values.items():
            session[key] = value
        return cookie_of(session.cookie(plugin.cfg.cookie_name, {"path": "/"}))

    def read(self, session_type, secret, cookie):
        return dict(self.plugin(session_type, secret).create_from_token(cookie))


class FastapiSessions:
    def frontend(self, secret, name):
        from fastapi_sessions.frontends.implementations import CookieParameters, SessionCookie

        return SessionCookie(
            cookie_name=name, identifier="peer", secret_key=secret, cookie_params=CookieParameters(), auto_error=False
        )

    def write(self, secret, name, id):
        from uuid import UUID

        from starlette.responses import Response

        response = Response()
        self.frontend(secret, name).attach_to_response(response, UUID(id))
        return cookie_of(response.headers["set-cookie"])

    def read(self, secret, name, cookie):
        from uuid import UUID

        from starlette.requests import Request

        scope = {"type": "http", "headers": [(b"cookie", f"{name}={cookie}".encode())], "state": {}}
        id = self.frontend(secret, name)(Request(scope))
        return id.hex if isinstance(id, UUID) else None


class Fernet:
    """The package cryptography. The newest key is the first one, as here."""

    def fernet(self, keys):
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in keys])

    def write(self, keys, values):
        return self.fernet(keys).encrypt(json.dumps(values).encode()).decode()

    def read(self, keys, cookie, ttl=None):
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self.fernet(keys).decrypt(cookie, ttl=ttl))
        except InvalidToken:
            return {}


class FastapiSession(Fernet):
    """fastapi_session, which cannot be installed: its derivation of keys and its encryption, over cryptography."""

    def salt(self, secret):
        import hashlib

        return hashlib.sha256(secret.encode()).hexdigest().encode()

    def fernet(self, secret):
        import hashlib
        from base64 import urlsafe_b64encode

        key = hashlib.pbkdf2_hmac("sha256", secret.encode(), self.salt(secret), 100, 32)
        return super().fernet([urlsafe_b64encode(key)])

    def write_id(self, secret, id):
        return self.fernet(secret).encrypt(id.encode()).decode()

    def read_id(self, secret, cookie):
        return self.fernet(secret).decrypt(cookie).decode()

    def cipher(self, secret):
        import hashlib

        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        return AESSIV(hashlib.pbkdf2_hmac("sha1", secret.encode(), self.salt(secret), 1000, 32))

    def encrypt_value(self, secret, text):
        from base64 import b64encode

        sealed = self.cipher(secret).encrypt(text.encode(), [b"fastsession"])
        return b64encode(f"{sealed[16:].hex()}:{sealed[:16].hex()}".encode()).decode()

    def decrypt_value(self, secret, text):
        from base64 import b64decode

        encrypted, tag = (bytes.fromhex(part) for part in b64decode(text).decode().split(":"))
        return self.cipher(secret).decrypt(tag + encrypted, [b"fastsession"]).decode()

    def write(self, url, secret, values):
        import secrets

        id = secrets.token_hex(32)
        for key, value in values.items():
            name = f"{self.encrypt_value(secret, id)}:{self.encrypt_value(secret, key)}"
            redis_at(url).set(name, self.encrypt_value(secret, json.dumps(value)), ex=60)
        return self.write_id(secret, id)

    def read(self, url, secret, cookie):
        namespace = self.encrypt_value(secret, self.read_id(secret, cookie))
        values = {}
        for name in redis_at(url).keys(f"{namespace}:*"):
            key = self.decrypt_value(secret, name.decode().split(":")[1])
            values[key] = json.loads(self.decrypt_value(secret, redis_at(url).get(name)))
        return values


def redis_at(url):
    import redis

    return redis.Redis.from_url(url)


class RedisByHand:
    """Sessions under their id, as JSON: as the RedisStore of SessionKit for FastAPI, which is not on PyPI, writes them."""

    def write(self, url, prefix, values):
        from uuid import uuid4

        id = str(uuid4())
        redis_at(url).set(prefix + id, json.dumps(values, default=str), ex=60)
        return id

    def read(self, url, prefix, cookie):
        record = redis_at(url).get(prefix + cookie)
        return json.loads(record) if record else None


class FlaskSession:
    def visit(self, url, secret, signed, format, handler, cookie=None):
        import warnings

        import flask
        from flask_session import Session

        # That signed ids are deprecated.
        warnings.simplefilter("ignore")
        app = flask.Flask("peer")
        app.config.update(
            SECRET_KEY=secret,
            SESSION_REDIS=redis_at(url),
            SESSION_SERIALIZATION_FORMAT=format,
            SESSION_TYPE="redis",
            SESSION_USE_SIGNER=signed,
        )
        Session(app)

        @app.get("/")
        def index():
            handler(flask.session)
            return ""

        headers = {"Cookie": f"session={cookie}"} if cookie else {}
        return app.test_client(use_cookies=False).get("/", headers=headers)

    def write(self, values, **settings):
        response = self.visit(handler=lambda session: session.update(values), **settings)
        return cookie_of(response.headers["Set-Cookie"])

    def read(self, cookie, **settings):
        seen = {}
        self.visit(handler=lambda session: seen.update(session), cookie=cookie, **settings)
        seen.pop("_permanent", None)
        return seen

    def write_strange(self, value, **settings):
        """Writes a value that JSON has no form for."""
        from datetime import datetime, timezone

        strange = {
            "bytes": b"\x00",
            "datetime": datetime.now(timezone.utc),
            "number keys": {1: 2},
            "nan": float("nan"),
        }
        return self.write({"strange": strange[value]}, **settings)

    def write_pickle(self, protocol, url, **_):
        """Writes a session as versions before 0.7 did."""
        import pickle
        import secrets

        id = secrets.token_urlsafe(32)
        redis_at(url).set(f"session:{id}", pickle.dumps({"user_id": 123}, protocol=protocol), ex=60)
        return id


class TokenTable:
    """A table of tokens in SQLite."""

    def connect(self, path):
        import sqlite3

        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, user_id INTEGER, expires_at INTEGER)")
        return connection

    def write(self, path, user_id, ttl):
        import secrets

        token = secrets.token_urlsafe(32)
        self.connect(path).execute("INSERT INTO sessions VALUES (?, ?, ?)", (token, user_id, int(time.time()) + ttl))
        return token

    def read(self, path, cookie):
        found = "SELECT user_id FROM sessions WHERE token = ? AND expires_at > ?"
        row = self.connect(path).execute(found, (cookie, time.time())).fetchone()
        return row and row[0]


class Jwt:
    """PyJWT, which takes the time from the system's clock: `exp` and `iat` are compared here."""

    def write(self, key, algorithm, values, **claims):
        import jwt

        now = int(time.time())
        return jwt.encode({**values, "iat": now, "exp": now + 60, **claims}, key, algorithm=algorithm)

    def read(self, key, algorithm, cookie, aud=None):
        import jwt

        try:
            options = {"verify_exp": False, "verify_iat": False}
            claims = jwt.decode(cookie, key, algorithms=[algorithm], audience=aud, options=options)
        except jwt.InvalidTokenError:
            return {}
        if not claims.pop("iat") <= time.time() < claims.pop("exp"):
            return {}
        claims.pop("aud", None)
        return claims


class SignedJson:
    """The format of SessionKit, as its documentation has it."""

    def key(self, secret, name):
        import hmac

        return hmac.digest(secret.encode(), b"sessionkit signed-json v1\0" + name.encode(), "sha256")

    def encode(self, data):
        from base64 import urlsafe_b64encode

        return urlsafe_b64encode(data).rstrip(b"=")

    def write(self, secret, name, values):
        import hmac

        now = int(time.time())
        text = b"v1." + self.encode(json.dumps({"iat": now, "exp": now + 60, "data": values}).encode())
        return (text + b"." + self.encode(hmac.digest(self.key(secret, name), text, "sha256"))).decode()

    def read(self, secret, name, cookie):
        import hmac
        from base64 import urlsafe_b64decode

        text, signature = cookie.encode().rsplit(b".", 1)
        expected = self.encode(hmac.digest(self.key(secret, name), text, "sha256"))
        if not hmac.compare_digest(signature, expected) or not text.startswith(b"v1."):
            return None
        body = text[3:]
        members = json.loads(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        return members["data"] if members["iat"] <= time.time() < members["exp"] else None


SYSTEMS = {
    "django": Django(),
    "django-database": DjangoDatabase(),
    "fastapi-session": FastapiSession(),
    "fastapi-sessions": FastapiSessions(),
    "fernet": Fernet(),
    "flask": Flask(),
    "flask-session": FlaskSession(),
    "itsdangerous": Itsdangerous(),
    "jwt": Jwt(),
    "muffin": Muffin(),
    "ravyn": Ravyn(),
    "redis": RedisByHand(),
    "signed-json": SignedJson(),
    "starlette": Starlette(),
    "token-table": TokenTable(),
}


def main():
    # What a package prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            system, do = SYSTEMS[request.pop("system")], request.pop("do")
            set_time(request.pop("now"))
            answer = json.dumps({"answer": getattr(system, do)(**request)})
        except Exception:
            answer = json.dumps({"error": traceback.format_exc()})
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main()

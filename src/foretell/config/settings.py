"""All settings, once, from the environment (12-factor). docs/configuration.md describes each variable for people."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from foretell import env
from foretell.config import limits
from foretell.config.database import django_database
from foretell.config.logs import logging_config
from foretell.config.mail import mail_settings
from foretell.config.operators import operators_host
from foretell.config.secret_key import given_secret, installation_secret
from foretell.embedded.database import database_url

env.load_dotenv(Path(".env"))

# --- where and who ------------------------------------------------------------------------------------------------------

FORETELL_HOME = env.home()
SECRET_KEY = given_secret(env.text("SECRET_KEY", "")) or installation_secret(FORETELL_HOME)
DEBUG = False  # errors are shown as the contract says, in development too
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, minimum=1, maximum=65535)
BASE_DOMAIN = env.text("FORETELL_BASE_DOMAIN", "localhost")
# Tenants are found by exact host name (tenants.resolving), which is stricter than this list; it narrows further.
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", ("*",))
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
USE_HTTPS = env.boolean("FORETELL_HTTPS", False)  # behind a proxy that speaks TLS and sets X-Forwarded-Proto

# --- applications -------------------------------------------------------------------------------------------------------

SHARED_APPS = [
    "django_tenants",
    "foretell.core",
    "foretell.tenants",
    "foretell.audit.installation",
    "foretell.monitoring.segment_marks",
    "procrastinate.contrib.django",
    "django.contrib.staticfiles",
    "django.contrib.messages",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_filters",
    "csp",
    "foretell.web",
    "foretell.admin",
    "foretell.admin.operators",
]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.admin",
    "foretell.core.idempotency",
    "foretell.core.cross_origin",
    "foretell.audit",
    "foretell.accounts",
    "foretell.accounts.tokens",
    "foretell.accounts.flows",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.usersessions",
    "allauth.mfa",
    "foretell.accounts.second_factor",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "foretell.accounts.identity_providers",
    "foretell.registry",
    "foretell.monitoring",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "foretell.core.static_files.StaticFilesMiddleware",
    "foretell.core.private_answers.PrivateAnswersMiddleware",
    "foretell.tenants.middleware.TenantMiddleware",
    "foretell.audit.middleware.ActorMiddleware",
    "foretell.core.cross_origin.middleware.CrossOriginMiddleware",
    "foretell.core.slashes.SlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "foretell.accounts.throttling.LimitHeadersMiddleware",
    "foretell.core.deprecation.DeprecationMiddleware",
    "foretell.core.idempotency.middleware.IdempotencyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "foretell.config.errors.ErrorsMiddleware",
]
ROOT_URLCONF = "foretell.config.urls"
ASGI_APPLICATION = "foretell.config.asgi.application"
APPEND_SLASH = False  # a redirected POST loses its body; core.slashes answers 308
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database and tenants -----------------------------------------------------------------------------------------------

DATABASES = {"default": django_database(database_url())}
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_ROLES = env.choice(
    "FORETELL_TENANT_ROLES", "auto", ("auto", "off")
)  # a role of PostgreSQL's for each tenant, where it may be made
TENANT_LIMIT_SET_CALLS = False  # Security: the search path is set at every cursor; remembering it saves little
DEMO_TENANT = "demo"  # answers at localhost and 127.0.0.1

# Per process. Security: keys carry the schema's name, so that no tenant reads what another one cached.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "KEY_FUNCTION": "foretell.core.caching.make_key",
        "REVERSE_KEY_FUNCTION": "foretell.core.caching.reverse_key",
    }
}

# --- people -------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["foretell.accounts.backends.NameOrEmailBackend"]
PASSWORD_HASHERS = ["foretell.accounts.passwords.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:catalogue"
SESSION_ENGINE = "foretell.tenants.sessions"
# Security: a __Host- cookie cannot be planted by a neighbouring subdomain; tenants.cookies renames it below /t/<tenant>/.
SESSION_COOKIE_NAME = "__Host-foretell-session" if USE_HTTPS else "foretell-session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_NAME = "__Host-foretell-csrf" if USE_HTTPS else "foretell-csrf"
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "foretell.config.errors.csrf_failure"
MESSAGE_STORAGE = (
    "django.contrib.messages.storage.session.SessionStorage"  # Security: a cookie's would be read in another tenant
)

# --- operators ----------------------------------------------------------------------------------------------------------

OPERATORS_HOST = operators_host("FORETELL_OPERATORS_HOST", env.text("FORETELL_OPERATORS_HOST", ""))  # "": there is none
OPERATORS_URLCONF = "foretell.config.operators_urls"
OPERATOR_COOKIE_NAME = "__Host-foretell-operator" if USE_HTTPS else "foretell-operator"

# --- account flows (django-allauth) -------------------------------------------------------------------------------------

ACCOUNT_ADAPTER = "foretell.accounts.flows.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = (
    True  # Security: its links would hold in every tenant; codes are in the session
)
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = False  # ours are exact, and of all processes: accounts.login_limits
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "foretell.accounts.flows.reset_tokens.ResetTokens"  # noqa: S105  a class
PASSWORD_RESET_TIMEOUT = 4 * 3600
USERSESSIONS_ADAPTER = "foretell.accounts.flows.ending.UserSessionsAdapter"
HEADLESS_CLIENTS = ("browser",)  # other programs have keys and tokens

# --- second factors (allauth.mfa) ---------------------------------------------------------------------------------------

MFA_ADAPTER = "foretell.accounts.second_factor.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of half a minute that a phone's clock may be off; a code opens once all the same
MFA_RATE_LIMITS = False  # ours: accounts.second_factor.codes

# --- identity providers (allauth.socialaccount) -------------------------------------------------------------------------

SOCIALACCOUNT_ADAPTER = "foretell.accounts.identity_providers.adapter.IdentityAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"provider_class": "foretell.accounts.identity_providers.provider.OIDCProvider"}
}
OIDC_PRIVATE = env.boolean("FORETELL_OIDC_PRIVATE", False)  # providers of tenants may be in the operator's own network

# --- mail ---------------------------------------------------------------------------------------------------------------

globals().update(mail_settings(env.text("EMAIL_URL", ""), home=FORETELL_HOME))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Foretell <no-reply@{BASE_DOMAIN}>")

# --- tokens -------------------------------------------------------------------------------------------------------------

TOKEN_ISSUER = env.text("FORETELL_TOKEN_ISSUER", f"{'https' if USE_HTTPS else 'http'}://{BASE_DOMAIN}")
ACCESS_TOKEN_S = env.integer("FORETELL_ACCESS_TOKEN_S", 300, minimum=30, maximum=3_600)
REFRESH_TOKEN_LIFETIME = timedelta(days=env.integer("FORETELL_REFRESH_TOKEN_DAYS", 14, minimum=1, maximum=365))
TOKEN_FAMILY_LIFETIME = timedelta(days=env.integer("FORETELL_TOKEN_FAMILY_DAYS", 90, minimum=1, maximum=3_650))
TOKEN_CLAIMS = env.text("FORETELL_TOKEN_CLAIMS", "")  # the dotted path of a function from a person to claims

# --- browsers -----------------------------------------------------------------------------------------------------------

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if USE_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the browsable API's and Swagger's stylesheets carry small images
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- REST ---------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "foretell.accounts.authentication.CredentialAuthentication",
        "foretell.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["foretell.accounts.access.Allowed"],
    "DEFAULT_THROTTLE_CLASSES": ["foretell.accounts.throttling.Limited", "foretell.core.idempotency.once.Once"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "foretell.core.browsable.BrowsableRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "foretell.core.negotiation.Negotiation",
    "DEFAULT_METADATA_CLASS": "foretell.core.metadata.Metadata",
    "DEFAULT_PAGINATION_CLASS": "foretell.core.pagination.PageNumbers",
    "DEFAULT_SCHEMA_CLASS": "foretell.core.openapi.schema.DocumentedSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "foretell.core.exception_handler.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Foretell",
    "DESCRIPTION": "The models of this tenant, and how to ask them.",
    "VERSION": "v1",
    "TAGS": [  # these first, on the API's page too
        {"name": "predict", "description": "Ask a model."},
        {"name": "models", "description": "The registry: models, versions, aliases, and what is said of them."},
    ],
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Of more than a hundred operations only those in view are drawn, so that no search in the page finds the others.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api(?:/v1)?",
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "foretell.accounts.roles.Role",
        "ServiceRoleEnum": "foretell.accounts.writing.SERVICE_ROLE_CHOICES",
        "VersionStateEnum": "foretell.registry.models.State",
        "PromotionStateEnum": "foretell.registry.promotion_requests.RequestState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "foretell.accounts.tokens.documented.add_jwks",
        "foretell.registry.openapi.add_predict_routes",
        "foretell.core.openapi.failures.add_failures",
        "foretell.accounts.flows.headless.documented.add_headless",
        "foretell.core.openapi.examples.add_examples",
    ],
}

# --- limits -------------------------------------------------------------------------------------------------------------

LIMIT_RATES = {  # None: no limit
    "key": limits.rate("FORETELL_LIMIT_KEY", env.text("FORETELL_LIMIT_KEY", "60000/min")),
    "user": limits.rate("FORETELL_LIMIT_USER", env.text("FORETELL_LIMIT_USER", "60000/min")),
    "tenant": limits.rate("FORETELL_LIMIT_TENANT", env.text("FORETELL_LIMIT_TENANT", "600000/min")),
}
LIMIT_SCOPES = limits.scopes("FORETELL_LIMIT_SCOPES", env.listing("FORETELL_LIMIT_SCOPES"))
REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss", "unix"))
LIMIT_HOSTS = env.integer("FORETELL_LIMIT_HOSTS", 1, minimum=1, maximum=10_000)
TRUSTED_PROXIES = env.integer("FORETELL_TRUSTED_PROXIES", 0, minimum=0, maximum=10)

# --- metrics ------------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.text("FORETELL_METRICS_TOKEN", "")  # for /metrics from another machine
METRICS_ROOT = FORETELL_HOME / "run" / "metrics"

# --- the queue ----------------------------------------------------------------------------------------------------------

PROCRASTINATE_ON_APP_READY = "foretell.tenants.queue.connect_queue"
PROCRASTINATE_IMPORT_PATHS = ["foretell.config.tasks"]
WORKER_CONCURRENCY = env.integer("FORETELL_WORKER_CONCURRENCY", 2, minimum=1, maximum=64)

# --- the prediction log -------------------------------------------------------------------------------------------------

PREDICTION_LOG_ROOT = FORETELL_HOME / "predictions"
PREDICTION_LOG_DURABILITY = env.choice("FORETELL_LOG_DURABILITY", "background", ("background", "sync"))
PREDICTION_LOG_RESERVE_BYTES = env.integer("FORETELL_LOG_RESERVE_MB", 64, minimum=0, maximum=65_536) * 1024 * 1024

# --- files and bodies ---------------------------------------------------------------------------------------------------

ARTIFACT_ROOT = FORETELL_HOME / "artifacts"
UPLOAD_ROOT = FORETELL_HOME / "uploads"  # what is on its way in; beside the artifacts, so that keeping it is a rename
UPLOAD_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
SANDBOX_SOCKET = FORETELL_HOME / "run" / "sandbox.sock"
MAX_UPLOAD_BYTES = env.integer("FORETELL_MAX_UPLOAD_MB", 256, minimum=1, maximum=4096) * 1024 * 1024
MAX_PREDICT_BYTES = env.integer("FORETELL_MAX_PREDICT_MB", 16, minimum=1, maximum=1024) * 1024 * 1024
MAX_BODY_BYTES = 1024 * 1024  # everything else
MODEL_MEMORY_BYTES = env.integer("FORETELL_MODEL_MEMORY_MB", 2_048, minimum=64, maximum=1_048_576) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_PREDICT_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_100  # the form of a model with as many inputs as a signature may have
FILE_UPLOAD_TEMP_DIR = str(UPLOAD_ROOT)
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # no collectstatic: the files are in the packages

# --- language, time, words ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING_CONFIG = None
logging_config(
    level=env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    as_json=env.choice("LOG_FORMAT", "console", ("console", "json")) == "json",
)
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # user names are unique, in any case: the constraint is on username_key
TEST_RUNNER = "django.test.runner.DiscoverRunner"

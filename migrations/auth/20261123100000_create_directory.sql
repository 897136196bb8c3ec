-- Why: tenants, their clients and users: everything that a request is decided against.
-- Locks: none that matter, all tables are new. Kind: expand.
--
-- `epoch` rises when everything issued under the row must die (disable, suspend, password change); `version` rises at
-- every change, so that a statement can refuse a decision that was made on a stale copy.

CREATE TABLE tenant (
    id                    uuid        PRIMARY KEY,
    slug                  text        NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{0,61}[a-z0-9]$'),
    display_name          text        NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    status                smallint    NOT NULL DEFAULT 1 CHECK (status IN (1, 2)), -- 1 active, 2 suspended
    epoch                 bigint      NOT NULL DEFAULT 1,
    version               bigint      NOT NULL DEFAULT 1,
    create_unknown_users  boolean     NOT NULL DEFAULT false,
    dangerous_trust_email boolean     NOT NULL DEFAULT false,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- The primary key is the OAuth client_id: made by the server, unique across tenants, so it names the tenant.
CREATE TABLE client (
    id                         uuid        PRIMARY KEY,
    tenant_id                  uuid        NOT NULL REFERENCES tenant (id),
    display_name               text        NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    status                     smallint    NOT NULL DEFAULT 1 CHECK (status IN (1, 2)), -- 1 active, 2 disabled
    epoch                      bigint      NOT NULL DEFAULT 1,
    version                    bigint      NOT NULL DEFAULT 1,
    first_party                boolean     NOT NULL DEFAULT false,
    token_endpoint_auth_method text        NOT NULL
        CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'none')),
    grant_types                text[]      NOT NULL,
    redirect_uris              text[]      NOT NULL,
    allowed_origins            text[]      NOT NULL DEFAULT '{}',
    scope                      text        NOT NULL, -- space-delimited: what the client may be granted
    require_pkce               boolean     NOT NULL DEFAULT true,
    refresh_grace_seconds      integer     NOT NULL DEFAULT 0 CHECK (refresh_grace_seconds BETWEEN 0 AND 60),
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    CHECK (require_pkce OR token_endpoint_auth_method <> 'none')
) WITH (fillfactor = 70);
CREATE INDEX client_by_tenant ON client (tenant_id, id);

-- At most two live secrets overlap during a rotation. The hash is SHA-256 of 32 random bytes: no stretching needed.
CREATE TABLE client_secret (
    id         uuid        PRIMARY KEY,
    tenant_id  uuid        NOT NULL REFERENCES tenant (id),
    client_id  uuid        NOT NULL REFERENCES client (id),
    hash       bytea       NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
CREATE INDEX client_secret_by_client ON client_secret (client_id);

-- `id` is the OpenID Connect `sub`: a UUIDv4, drawn per tenant and never used again.
CREATE TABLE app_user (
    id             uuid        PRIMARY KEY,
    tenant_id      uuid        NOT NULL REFERENCES tenant (id),
    email          text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    email_verified boolean     NOT NULL DEFAULT false,
    display_name   text        CHECK (length(display_name) BETWEEN 1 AND 200),
    status         smallint    NOT NULL DEFAULT 1 CHECK (status IN (1, 2)), -- 1 active, 2 disabled
    epoch          bigint      NOT NULL DEFAULT 1,
    version        bigint      NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT app_user_email_unique UNIQUE (tenant_id, email)
) WITH (fillfactor = 70);

CREATE TABLE password (
    user_id    uuid        PRIMARY KEY REFERENCES app_user (id),
    tenant_id  uuid        NOT NULL REFERENCES tenant (id),
    hash       text        NOT NULL CHECK (hash LIKE '$argon2id$%'), -- PHC string
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One row per account that somebody tried to sign in to, existing or not. `account` is an HMAC of the e-mail address.
CREATE TABLE sign_in_attempt (
    tenant_id    uuid        NOT NULL,
    account      bytea       NOT NULL CHECK (length(account) = 32),
    failures     integer     NOT NULL,
    attempted_at timestamptz NOT NULL,
    next_at      timestamptz NOT NULL, -- no attempt is let through before
    PRIMARY KEY (tenant_id, account)
) WITH (fillfactor = 70);

-- The private part is sealed under a key that is not in this database.
CREATE TABLE signing_key (
    id            uuid        PRIMARY KEY,
    tenant_id     uuid        NOT NULL REFERENCES tenant (id),
    kid           text        NOT NULL UNIQUE,
    algorithm     text        NOT NULL CHECK (algorithm IN ('ES256', 'RS256', 'EdDSA')),
    state         smallint    NOT NULL CHECK (state IN (1, 2, 3, 4)), -- 1 pending, 2 active, 3 retiring, 4 retired
    public_key    bytea       NOT NULL, -- SubjectPublicKeyInfo point: for ES256 the uncompressed SEC 1 point
    sealed_key    bytea       NOT NULL, -- AES-256-GCM of the PKCS#8 document
    master_key_id smallint    NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    state_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX signing_key_one_active ON signing_key (tenant_id, algorithm) WHERE state = 2;

-- Why: a browser that is signed in, and what people allowed third-party clients.
-- Locks: none that matter, both tables are new. Kind: expand.

-- A sign-in makes a new row and ends the browser's older one. The epochs are those that it saw: unequal means signed out.
CREATE TABLE browser_session (
    id           uuid        PRIMARY KEY,
    tenant_id    uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    device_id    uuid        NOT NULL,
    secret_hash  bytea       NOT NULL CHECK (length(secret_hash) = 32), -- SHA-256 of the cookie's secret
    tenant_epoch bigint      NOT NULL,
    user_epoch   bigint      NOT NULL,
    auth_time    timestamptz NOT NULL,
    amr          text        NOT NULL, -- space-delimited, RFC 8176
    user_agent   text        CHECK (length(user_agent) <= 256),
    created_at   timestamptz NOT NULL DEFAULT now(),
    seen_at      timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    idle_ttl     interval    NOT NULL,
    ended_at     timestamptz
) WITH (fillfactor = 70);
CREATE INDEX browser_session_by_user ON browser_session (tenant_id, user_id, id);

-- What a person lets a client have. A revoked one stays, so that the person sees it, until it is deleted.
CREATE TABLE consent (
    tenant_id  uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    client_id  uuid        NOT NULL,
    scope      text        NOT NULL, -- space-delimited, all that was ever allowed and not revoked
    granted_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, user_id, client_id)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE ON browser_session TO credo_auth_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent TO credo_auth_api;

-- Why: one row is a whole authorization: the pending code, the grant, the refresh chain and the end of it.
-- Locks: none that matter, all tables are new. Kind: expand.
--
-- No index covers a column that a request updates, so that every update is HOT; fillfactor 50 leaves room for it on the
-- page even when neighbours in creation order are updated together. No foreign keys: they would lock hot rows.

CREATE TABLE session (
    id              uuid        PRIMARY KEY,
    tenant_id       uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    device_id       uuid        NOT NULL,
    state           smallint    NOT NULL CHECK (state IN (0, 1, 2)), -- 0 pending, 1 active, 2 revoked
    tenant_epoch    bigint      NOT NULL,
    client_epoch    bigint      NOT NULL,
    user_epoch      bigint      NOT NULL,
    scope           text        NOT NULL, -- space-delimited, as granted
    actor_core      bytea       NOT NULL, -- serialised actor and subject fields of an event core
    code_hash       bytea       NOT NULL CHECK (length(code_hash) = 32),
    code_challenge  bytea       CHECK (length(code_challenge) = 32), -- S256: SHA-256 of the code_verifier
    redirect_uri    text        NOT NULL,
    nonce           text,
    code_expires_at timestamptz NOT NULL,
    redeemed_at     timestamptz,
    refresh_hash    bytea       CHECK (length(refresh_hash) = 32),
    generation      integer     NOT NULL DEFAULT 0,
    key_id          smallint    NOT NULL, -- the master key whose derivations made the current secret
    attempt_id      uuid        NOT NULL, -- the event id of the last change: an unknown outcome is found again by it
    rotated_at      timestamptz,
    auth_time       timestamptz NOT NULL,
    amr             text        NOT NULL, -- space-delimited, RFC 8176
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    idle_ttl        interval    NOT NULL,
    ended_at        timestamptz,
    end_reason      smallint, -- 1 replay, 2 revoked by the client, 3 revoked by the person, 4 revoked by an administrator
    CHECK ((state = 2) = (ended_at IS NOT NULL)),
    CHECK (state <> 0 OR refresh_hash IS NULL)
) WITH (fillfactor = 50);
CREATE INDEX session_by_user ON session (tenant_id, user_id, id);

-- What must be refused although its signature is good. Insert-only; read by snapshot difference.
-- kind 1 session, 2 jti, 3 key: refused absolutely. 4 tenant, 5 client, 6 user: refused below `epoch`, but for `except_sid`.
CREATE TABLE revocation (
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    kind       smallint    NOT NULL CHECK (kind BETWEEN 1 AND 6),
    tenant_id  uuid        NOT NULL,
    id         uuid        NOT NULL,
    epoch      bigint,
    except_sid uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL, -- no token that the row concerns lives longer
    CHECK ((kind >= 4) = (epoch IS NOT NULL))
);
CREATE INDEX revocation_by_xid ON revocation (xid);

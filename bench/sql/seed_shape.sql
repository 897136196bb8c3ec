-- What the earlier server keeps for a refresh: a row for each token that there ever was, and what is read beside it.
CREATE SCHEMA seed;
CREATE TABLE seed.tenants (id uuid PRIMARY KEY, name text NOT NULL, status text NOT NULL);
CREATE TABLE seed.clients (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES seed.tenants (id), client_id text NOT NULL UNIQUE,
    secret_hash text NOT NULL, allowed_scopes text NOT NULL, status text NOT NULL);
CREATE TABLE seed.users (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, email text NOT NULL, status text NOT NULL,
    UNIQUE (tenant_id, email));
CREATE TABLE seed.sessions (id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES seed.users (id), client_id uuid NOT NULL,
    tenant_id uuid NOT NULL, scopes text NOT NULL, status text NOT NULL, last_jti text, last_refreshed_at timestamptz,
    last_seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL);
CREATE INDEX sessions_by_user ON seed.sessions (user_id);
CREATE TABLE seed.refresh_tokens (id uuid PRIMARY KEY, token text NOT NULL UNIQUE,
    session_id uuid NOT NULL REFERENCES seed.sessions (id), created_at timestamptz NOT NULL, last_refreshed_at timestamptz,
    expires_at timestamptz NOT NULL, used boolean NOT NULL);
CREATE INDEX refresh_tokens_by_session ON seed.refresh_tokens (session_id);
CREATE TABLE seed.outbox (id uuid PRIMARY KEY, aggregate_type text NOT NULL, aggregate_id text NOT NULL, event_type text NOT NULL,
    payload jsonb NOT NULL, created_at timestamptz NOT NULL, processed_at timestamptz);
CREATE INDEX outbox_unprocessed ON seed.outbox (created_at) WHERE processed_at IS NULL;

INSERT INTO seed.tenants VALUES (gen_random_uuid(), 'bench', 'active');
INSERT INTO seed.clients SELECT gen_random_uuid(), id, 'bench', encode(sha256('secret'), 'hex'), 'openid', 'active' FROM seed.tenants;
INSERT INTO seed.users SELECT gen_random_uuid(), t.id, 'bench-' || number || '@demo.example', 'active'
FROM seed.tenants t, generate_series(0, 9999) AS number;
INSERT INTO seed.sessions SELECT gen_random_uuid(), u.id, c.id, u.tenant_id, 'openid', 'active', NULL, NULL, now(), now() + interval '30 days'
FROM seed.users u, seed.clients c;
INSERT INTO seed.refresh_tokens SELECT gen_random_uuid(), 'ref_' || gen_random_uuid(), s.id, now(), NULL, now() + interval '30 days', false
FROM seed.sessions s;

-- Why: what OpenID Connect asks of clients, people and sessions, and what a tenant's pages look like.
-- Locks: ACCESS EXCLUSIVE on tenant, client, app_user and session for a moment: constant defaults, nothing is rewritten.
-- Kind: expand.
SET LOCAL lock_timeout = '3s';

ALTER TABLE tenant
    ADD COLUMN accent_color      text  CHECK (accent_color ~ '^#[0-9a-f]{6}$'),      -- on light pages
    ADD COLUMN accent_color_dark text  CHECK (accent_color_dark ~ '^#[0-9a-f]{6}$'), -- on dark pages
    ADD COLUMN logo              bytea CHECK (length(logo) <= 32768);                -- a PNG image

ALTER TABLE client
    ADD COLUMN application_type             text   NOT NULL DEFAULT 'web' CHECK (application_type IN ('web', 'native')),
    ADD COLUMN post_logout_redirect_uris    text[] NOT NULL DEFAULT '{}',
    ADD COLUMN id_token_signed_response_alg text   NOT NULL DEFAULT 'ES256'
        CHECK (id_token_signed_response_alg IN ('ES256', 'RS256'));
-- Which origins may call at all, before it is known whose call it is (a CORS preflight names no client).
CREATE INDEX client_by_allowed_origin ON client USING gin (allowed_origins);

-- The claims of OpenID Connect Core section 5.1 that are the person's own words.
ALTER TABLE app_user ADD COLUMN profile jsonb NOT NULL DEFAULT '{}' CHECK (pg_column_size(profile) <= 8192);

-- `claims`: the request parameter of that name (OpenID Connect Core section 5.5) in canonical form, absent if there was none.
ALTER TABLE session
    ADD COLUMN browser_session_id uuid,
    ADD COLUMN claims             text CHECK (length(claims) <= 4096);

-- Why: how often what may be asked for, where it is not the default.
-- Locks: none that matter, the table is new. Kind: expand.

CREATE TABLE rate_limit (
    tenant_id  uuid        NOT NULL REFERENCES tenant (id),
    client_id  uuid, -- absent: of the tenant
    class      smallint    NOT NULL CHECK (class IN (1, 2, 3, 4)), -- 1 auth, 2 sensitive, 3 read, 4 address
    per_minute integer     NOT NULL CHECK (per_minute BETWEEN 1 AND 1000000),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- An address has one count with each tenant, whichever client it signs in to.
    CHECK (class <> 4 OR client_id IS NULL),
    CONSTRAINT rate_limit_unique UNIQUE NULLS NOT DISTINCT (tenant_id, client_id, class)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limit TO credo_auth_api;

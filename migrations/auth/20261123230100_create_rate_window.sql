-- Why: limits are counted where every replica sees it. A row is what the replicas let through of one bucket in one window; they
-- add to it in the background. Unlogged: after a crash the windows begin anew, and nothing else is lost. Two more classes have limits.
-- Locks: rate_limit, ACCESS EXCLUSIVE for the check of a few rows. Kind: expand.

SET LOCAL lock_timeout = '3s';

CREATE UNLOGGED TABLE rate_window (
    tenant_id uuid        NOT NULL,
    begins_at timestamptz NOT NULL,
    bucket    bytea       NOT NULL CHECK (length(bucket) = 32), -- SHA-256 of the class and of what is counted
    count     integer     NOT NULL CHECK (count > 0),
    -- By time first: what is over is one end of the index.
    PRIMARY KEY (begins_at, tenant_id, bucket)
) WITH (fillfactor = 50);

ALTER TABLE rate_limit DROP CONSTRAINT rate_limit_class_check,
    ADD CONSTRAINT rate_limit_class_check CHECK (class BETWEEN 1 AND 6); -- 5 client, 6 client_failure

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_window TO credo_auth_api;

-- Why: a deleted tenant or client stays as a row that nothing serves: its slug and its id are never used again, and events
-- and sessions that name it stay readable. And the feed tells of clients that changed (kind 7), not only of those that ended.
-- Locks: ACCESS EXCLUSIVE on tenant, client and revocation for a moment: nothing is scanned. Kind: expand.
SET LOCAL lock_timeout = '3s';

ALTER TABLE tenant DROP CONSTRAINT tenant_status_check,
    ADD CONSTRAINT tenant_status_check CHECK (status IN (1, 2, 3)) NOT VALID; -- 1 active, 2 suspended, 3 deleted
ALTER TABLE client DROP CONSTRAINT client_status_check,
    ADD CONSTRAINT client_status_check CHECK (status IN (1, 2, 3)) NOT VALID; -- 1 active, 2 disabled, 3 deleted
-- 7 client version: what was read of the client in a version below `epoch` is not used any more. A program that does not know
-- the kind passes over it.
ALTER TABLE revocation DROP CONSTRAINT revocation_kind_check,
    ADD CONSTRAINT revocation_kind_check CHECK (kind BETWEEN 1 AND 7) NOT VALID;

-- Why: keys change by themselves, one step at a time; a key that leaked is revoked; a key that is gone has no private part.
-- Locks: ACCESS EXCLUSIVE on signing_key, a small table, while its rows are checked and three indexes are built. Kind: expand.
SET LOCAL lock_timeout = '3s';

-- 5: retired because it leaked.
ALTER TABLE signing_key
    DROP CONSTRAINT signing_key_state_check,
    ADD CONSTRAINT signing_key_state_check CHECK (state IN (1, 2, 3, 4, 5)),
    ADD CONSTRAINT signing_key_gone_has_no_private_part CHECK ((state >= 4) = (sealed_key = '')),
    ADD COLUMN sealed_at timestamptz NOT NULL DEFAULT now();

CREATE UNIQUE INDEX signing_key_one_pending ON signing_key (tenant_id, algorithm) WHERE state = 1;
CREATE INDEX signing_key_by_tenant ON signing_key (tenant_id, id);
-- What the sweep looks for: keys that may go, and keys under another master key.
CREATE INDEX signing_key_retiring ON signing_key (state_at) WHERE state = 3;
CREATE INDEX signing_key_by_master_key ON signing_key (master_key_id, sealed_at) WHERE state IN (1, 2, 3);

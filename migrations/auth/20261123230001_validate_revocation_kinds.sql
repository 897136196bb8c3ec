-- Why: the rows of before satisfy the check too.
-- Locks: SHARE UPDATE EXCLUSIVE on revocation while its rows are read; nobody waits. Kind: expand.
SET LOCAL lock_timeout = '3s';

ALTER TABLE revocation VALIDATE CONSTRAINT revocation_kind_check;

-- Why: the checks of the file before hold for the rows that were there too.
-- Locks: SHARE UPDATE EXCLUSIVE on tenant, client and revocation while they are read. Kind: expand.
SET LOCAL lock_timeout = '3s';

ALTER TABLE tenant VALIDATE CONSTRAINT tenant_status_check;
ALTER TABLE client VALIDATE CONSTRAINT client_status_check;
ALTER TABLE revocation VALIDATE CONSTRAINT revocation_kind_check;

-- no-transaction
-- Why: administrators list the people of a tenant in pages.
-- Locks: SHARE UPDATE EXCLUSIVE on app_user while it is built, which no request waits for. Kind: expand.

CREATE INDEX CONCURRENTLY app_user_by_tenant ON app_user (tenant_id, id);

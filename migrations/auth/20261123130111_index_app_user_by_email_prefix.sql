-- no-transaction
-- Why: administrators look for addresses that begin so, whatever the collation of the database.
-- Locks: SHARE UPDATE EXCLUSIVE on app_user while it is built, which no request waits for. Kind: expand.

CREATE INDEX CONCURRENTLY app_user_by_email_prefix ON app_user (tenant_id, email text_pattern_ops);

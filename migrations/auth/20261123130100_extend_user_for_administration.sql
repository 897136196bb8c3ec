-- Why: people may administer, and a person who asks for it is deleted.
-- Locks: ACCESS EXCLUSIVE on app_user for a moment: a constant default, nothing is rewritten. Kind: expand.
SET LOCAL lock_timeout = '3s';

-- Space-delimited: what the person may do with the admin APIs.
ALTER TABLE app_user ADD COLUMN admin_scope text NOT NULL DEFAULT '' CHECK (length(admin_scope) <= 1024);

-- A deleted person's rows go, but for what names nobody: their sessions have ended with them and are purged as all are.
GRANT DELETE ON app_user, password, browser_session, sign_in_attempt TO credo_auth_api;

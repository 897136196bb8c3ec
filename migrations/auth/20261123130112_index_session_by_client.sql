-- no-transaction
-- Why: administrators list the sessions of a client, and of a tenant client by client.
-- Locks: SHARE UPDATE EXCLUSIVE on session while it is built, which no request waits for. Kind: expand.
-- No request updates its columns, so updates stay HOT.

CREATE INDEX CONCURRENTLY session_by_client ON session (tenant_id, client_id, id);

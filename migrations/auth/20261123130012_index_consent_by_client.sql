-- no-transaction
-- Why: what people allowed a client ends with the client.
-- Locks: none that keep anybody waiting. Kind: expand.
CREATE INDEX CONCURRENTLY consent_by_client ON consent (client_id);

-- Why: serving roles cannot do DDL, and the relay sees the outbox alone.
-- Locks: none that matter. Kind: expand. The login roles exist already: credo-migrate makes them.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO credo_auth_api, credo_outbox_relay;

GRANT SELECT, INSERT, UPDATE ON tenant, client, app_user, password, session, sign_in_attempt, signing_key TO credo_auth_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON client_secret TO credo_auth_api;
GRANT SELECT, INSERT ON revocation TO credo_auth_api;
-- Not `xid` and `id`: their defaults are what the relay's reading rests on.
GRANT INSERT (slot, tenant_id, shard, aggregate, event_id, class, core, personal) ON outbox TO credo_auth_api;
GRANT USAGE, SELECT ON SEQUENCE outbox_id TO credo_auth_api;
GRANT SELECT ON outbox_slot, tick, progress, incarnation TO credo_auth_api;

GRANT SELECT ON outbox, outbox_slot, incarnation TO credo_outbox_relay;
GRANT SELECT ON SEQUENCE outbox_id TO credo_outbox_relay;
GRANT SELECT, INSERT ON tick, progress TO credo_outbox_relay;
GRANT SELECT, INSERT, UPDATE ON lease TO credo_outbox_relay;

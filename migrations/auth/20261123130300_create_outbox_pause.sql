-- Why: an operator can pause publishing, on every relay and across restarts; the relay records who did it and why.
-- Locks: none that matter, the table is new. Kind: expand.

CREATE TABLE outbox_pause (
    only_row  boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    paused_at timestamptz, -- absent while it is not paused
    reason    text        CHECK (length(reason) BETWEEN 1 AND 500),
    actor_id  uuid,
    CHECK ((paused_at IS NULL) = (reason IS NULL) AND (paused_at IS NULL) = (actor_id IS NULL))
);
INSERT INTO outbox_pause DEFAULT VALUES;

GRANT SELECT, UPDATE (paused_at, reason, actor_id) ON outbox_pause TO credo_outbox_relay;
-- Its own events, as auth-api writes them: not `xid` and `id`.
GRANT INSERT (slot, tenant_id, shard, aggregate, event_id, class, core, personal) ON outbox TO credo_outbox_relay;
GRANT USAGE ON SEQUENCE outbox_id TO credo_outbox_relay;
GRANT SELECT, INSERT, UPDATE ON admin_request TO credo_outbox_relay;

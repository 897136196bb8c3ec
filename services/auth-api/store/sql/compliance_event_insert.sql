/* compliance_event_insert */
-- The event of a change that takes more than one statement.
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7)

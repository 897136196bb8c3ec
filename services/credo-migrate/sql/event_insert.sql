/* event_insert */
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT o.slot, $1, $2, $3, $4, $5, $6, $7 FROM outbox_slot AS o

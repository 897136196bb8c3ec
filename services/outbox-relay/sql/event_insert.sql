/* event_insert */
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT o.slot, $1, $2, $1, $3, $4, $5, $6 FROM outbox_slot o

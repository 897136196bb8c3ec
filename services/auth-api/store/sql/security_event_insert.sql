/* security_event_insert */
-- Refusals that no other statement records.
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT r.slot, r.tenant_id, r.shard, r.aggregate, r.event_id, 2, r.core, r.personal
FROM unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::uuid[], $5::uuid[], $6::bytea[], $7::bytea[])
  AS r (slot, tenant_id, shard, aggregate, event_id, core, personal)

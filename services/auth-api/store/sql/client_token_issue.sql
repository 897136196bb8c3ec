/* client_token_issue */
-- The statement's snapshot is taken after the request arrived, so a disabling that was committed before is seen.
WITH decided AS MATERIALIZED (
  SELECT r.tenant_id, r.client_id, r.event_id, r.slot, r.shard, r.core, r.personal, t.epoch AS tenant_epoch,
         c.epoch AS client_epoch,
         CASE
           WHEN t.status <> 1                 THEN 'TenantSuspended'
           WHEN c.status <> 1                 THEN 'ClientDisabled'
           WHEN c.version <> r.client_version THEN 'Stale'
           ELSE 'Issued'
         END AS outcome
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::smallint[], $6::smallint[], $7::bytea[], $8::bytea[])
    AS r (tenant_id, client_id, client_version, event_id, slot, shard, core, personal)
  JOIN tenant t ON t.id = r.tenant_id
  JOIN client c ON c.id = r.client_id AND c.tenant_id IS NOT DISTINCT FROM r.tenant_id
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT d.slot, d.tenant_id, d.shard, d.client_id, d.event_id, 2, d.core, d.personal
  FROM decided d WHERE d.outcome = 'Issued'
)
SELECT d.event_id AS "event_id!", d.outcome AS "outcome!", now() AS "at!", d.tenant_epoch AS "tenant_epoch!",
       d.client_epoch AS "client_epoch!"
FROM decided d

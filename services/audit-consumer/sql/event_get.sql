/* event_get */
-- $1 tenant, $2 event, $3 whether the personal part is wanted.
SELECT e.class AS "class!", e.event_id AS "event_id!", e.tenant_id AS "tenant_id!", e.tenant_seq AS "tenant_seq!",
       e.stored_at AS "stored_at!", e.quarantine AS "quarantine?", e.core AS "core!", l.hash AS "leaf_hash!",
       l.epoch AS "epoch!", l.shard AS "shard!", l.seq AS "seq!", p.data AS "personal?"
FROM event e
JOIN leaf l ON l.tenant_id = e.tenant_id AND l.tenant_seq = e.tenant_seq
LEFT JOIN personal p ON $3::boolean AND p.class = e.class AND p.event_id = e.event_id AND p.tenant_id = e.tenant_id
WHERE e.tenant_id = $1 AND e.class IN (1, 2, 3) AND e.event_id = $2

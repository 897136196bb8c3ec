/* event_query */
-- $1 tenant, $2 the last tenant_seq of the page before, $3 page size, $4 whether the personal part is wanted; then filters,
-- of which one that is null does not filter. Planned for its values each time: which index serves depends on them.
SELECT e.class AS "class!", e.event_id AS "event_id!", e.tenant_id AS "tenant_id!", e.tenant_seq AS "tenant_seq!",
       e.stored_at AS "stored_at!", e.quarantine AS "quarantine?", e.core AS "core!", l.hash AS "leaf_hash!",
       l.epoch AS "epoch!", l.shard AS "shard!", l.seq AS "seq!", p.data AS "personal?"
FROM event e
JOIN leaf l ON l.tenant_id = e.tenant_id AND l.tenant_seq = e.tenant_seq
LEFT JOIN personal p ON $4::boolean AND p.class = e.class AND p.event_id = e.event_id AND p.tenant_id = e.tenant_id
WHERE e.tenant_id = $1 AND e.tenant_seq > $2
  AND ($5::text IS NULL OR e.type = $5)
  AND ($6::uuid IS NULL OR e.actor_id = $6)
  AND ($7::uuid IS NULL OR e.subject_id = $7)
  AND ($8::uuid IS NULL OR e.session_id = $8)
  AND ($9::timestamptz IS NULL OR e.occurred_at >= $9)
  AND ($10::timestamptz IS NULL OR e.occurred_at < $10)
ORDER BY e.tenant_seq
LIMIT $3

/* bench_rotate_bare */
WITH updated AS (
  UPDATE session s SET refresh_hash = r.new_hash, generation = s.generation + 1, attempt_id = r.attempt_id, rotated_at = now()
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::uuid[], $6::bytea[], $7::bytea[])
    AS r (session_id, tenant_id, secret_hash, new_hash, attempt_id, core, personal)
  WHERE s.id = r.session_id AND s.tenant_id IS NOT DISTINCT FROM r.tenant_id AND s.refresh_hash = r.secret_hash
  RETURNING s.id, s.tenant_id, r.attempt_id, r.core || s.actor_core AS core, r.personal
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT 0, n.tenant_id, 0, n.id, n.attempt_id, 2, n.core, n.personal FROM updated n
)
SELECT n.attempt_id, 'Rotated' AS "outcome!" FROM updated n

/* rate_window_add */
-- In the order of the key, so that two replicas that add to the same rows wait for each other and do not deadlock.
INSERT INTO rate_window AS w (tenant_id, begins_at, bucket, count)
SELECT r.tenant_id, r.begins_at, r.bucket, r.count
FROM unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::integer[]) AS r (tenant_id, begins_at, bucket, count)
ORDER BY r.begins_at, r.tenant_id, r.bucket
ON CONFLICT (begins_at, tenant_id, bucket)
  DO UPDATE SET count = least(w.count::bigint + excluded.count, 2147483647)::integer
RETURNING w.tenant_id, w.begins_at, w.bucket, w.count

/* admin_session_list */
-- All of a tenant, each client's in order and then all together: the index is by client. $2 is the last id of the page
-- before; $3: also what has ended.
SELECT s.id, s.tenant_id, s.user_id, s.client_id, s.state,
       (t.status = 1 AND t.epoch = s.tenant_epoch AND c.status = 1 AND c.epoch = s.client_epoch
        AND u.status = 1 AND u.epoch = s.user_epoch) IS TRUE AS "epochs_good!",
       CASE WHEN s.state = 0 THEN s.code_expires_at <= now()
            ELSE s.expires_at <= now() OR coalesce(s.rotated_at + s.idle_ttl <= now(), false) END AS "expired!",
       s.scope, s.amr, s.auth_time, s.created_at, coalesce(s.rotated_at, s.redeemed_at) AS last_used_at, s.expires_at,
       s.ended_at, s.end_reason, s.generation
FROM client o
CROSS JOIN LATERAL (
  SELECT q.id
  FROM session q
  JOIN tenant t   ON t.id = q.tenant_id
  LEFT JOIN app_user u ON u.id = q.user_id AND u.tenant_id IS NOT DISTINCT FROM q.tenant_id
  WHERE q.tenant_id = o.tenant_id AND q.client_id = o.id AND ($2::uuid IS NULL OR q.id > $2)
    AND ($3::boolean OR (q.state <> 2 AND t.status = 1 AND t.epoch = q.tenant_epoch AND o.status = 1
                         AND o.epoch = q.client_epoch AND u.status = 1 AND u.epoch = q.user_epoch
                         AND CASE WHEN q.state = 0 THEN q.code_expires_at > now()
                                  ELSE q.expires_at > now() AND coalesce(q.rotated_at + q.idle_ttl > now(), true) END))
  ORDER BY q.id
  LIMIT $4
) page
JOIN session s       ON s.id = page.id AND s.tenant_id IS NOT DISTINCT FROM o.tenant_id
LEFT JOIN tenant t   ON t.id = s.tenant_id
LEFT JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
LEFT JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id
WHERE o.tenant_id = $1
ORDER BY s.id
LIMIT $4

/* admin_session_lock */
-- admin_session_get for a row that is to change: what the event tells as "before" is what the change finds.
-- What the row says, and whether the epochs that it saw still stand: a session of a user, client or tenant that is gone or
-- has another epoch has ended, whatever its state.
SELECT s.id, s.tenant_id, s.user_id, s.client_id, s.state,
       (t.status = 1 AND t.epoch = s.tenant_epoch AND c.status = 1 AND c.epoch = s.client_epoch
        AND u.status = 1 AND u.epoch = s.user_epoch) IS TRUE AS "epochs_good!",
       CASE WHEN s.state = 0 THEN s.code_expires_at <= now()
            ELSE s.expires_at <= now() OR coalesce(s.rotated_at + s.idle_ttl <= now(), false) END AS "expired!",
       s.scope, s.amr, s.auth_time, s.created_at, coalesce(s.rotated_at, s.redeemed_at) AS last_used_at, s.expires_at,
       s.ended_at, s.end_reason, s.generation
FROM session s
LEFT JOIN tenant t   ON t.id = s.tenant_id
LEFT JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
LEFT JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id
WHERE s.id = $1 AND s.tenant_id IS NOT DISTINCT FROM $2
FOR NO KEY UPDATE OF s

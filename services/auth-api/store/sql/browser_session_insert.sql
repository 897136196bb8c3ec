/* browser_session_insert */
-- A sign-in makes a new row and ends the one that the browser had. The row keeps the epochs of this snapshot, and whoever
-- finds it later compares them; so only that the person is there is held, for a deletion must find the row. A password that changed meanwhile is refused.
WITH decided AS MATERIALIZED (
  SELECT t.id AS tenant_id, u.id AS user_id, u.email, u.display_name, t.epoch AS tenant_epoch, u.epoch AS user_epoch,
         CASE
           WHEN t.status <> 1                                                    THEN 'TenantSuspended'
           WHEN u.status <> 1                                                    THEN 'UserDisabled'
           WHEN p.version IS DISTINCT FROM $4::bigint AND $4::bigint IS NOT NULL THEN 'PasswordChanged'
           ELSE 'SignedIn'
         END AS outcome
  FROM app_user u
  JOIN tenant t        ON t.id = u.tenant_id
  LEFT JOIN password p ON p.user_id = u.id AND p.tenant_id IS NOT DISTINCT FROM u.tenant_id
  WHERE u.id = $3::uuid AND u.tenant_id IS NOT DISTINCT FROM $2::uuid
  FOR KEY SHARE OF u
), inserted AS (
  INSERT INTO browser_session (id, tenant_id, user_id, device_id, secret_hash, tenant_epoch, user_epoch, auth_time, amr,
                               user_agent, created_at, seen_at, expires_at, idle_ttl)
  SELECT $1::uuid, d.tenant_id, d.user_id, $5::uuid, $6::bytea, d.tenant_epoch, d.user_epoch, now(), $7::text,
         $8::text, now(), now(), now() + make_interval(secs => $9::double precision),
         make_interval(secs => $10::double precision)
  FROM decided d
  WHERE d.outcome = 'SignedIn'
  ON CONFLICT (id) DO NOTHING -- the same attempt again, after a lost connection
  RETURNING id
), ended AS (
  UPDATE browser_session b SET ended_at = now()
  FROM decided d
  WHERE d.outcome = 'SignedIn' AND b.id = $11::uuid AND b.tenant_id IS NOT DISTINCT FROM d.tenant_id
    AND b.ended_at IS NULL
), attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  FROM decided d
  WHERE d.outcome = 'SignedIn' AND a.tenant_id = d.tenant_id AND a.account = ANY ($12::bytea[])
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $13::smallint, d.tenant_id, $14::smallint, i.id, $15::uuid, 2, $16::bytea, $17::bytea
  FROM inserted i
  CROSS JOIN decided d
)
SELECT d.outcome AS "outcome!", d.email AS "email!", d.display_name, now() AS "at!" FROM decided d

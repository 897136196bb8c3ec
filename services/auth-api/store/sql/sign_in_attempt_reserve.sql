/* sign_in_attempt_reserve */
-- An attempt is counted before anything is hashed, for accounts that do not exist too. Ten are free; from there on each
-- failure doubles the wait, to a quarter of an hour. No row in `attempt`: it is not time yet. Whoever is free is not asked
-- for the time: parallel attempts queue up for the row, and now() of the second may lie before next_at of the first.
WITH attempt AS (
  INSERT INTO sign_in_attempt AS a (tenant_id, account, failures, attempted_at, next_at)
  VALUES ($1, $2, 1, now(), now())
  ON CONFLICT (tenant_id, account) DO UPDATE SET
    failures     = a.failures + 1,
    attempted_at = now(),
    next_at      = now() + make_interval(secs =>
                     CASE WHEN a.failures < 10 THEN 0 ELSE least(power(2, least(a.failures - 9, 20)), 900) END)
  WHERE a.failures <= 10 OR a.next_at <= now()
  RETURNING a.failures
)
SELECT (SELECT failures FROM attempt) AS failures,
       (SELECT greatest(1, ceil(extract(epoch FROM before.next_at - now())))::integer
        FROM sign_in_attempt before WHERE before.tenant_id = $1 AND before.account = $2) AS retry_after_seconds,
       u.id AS "user_id?", u.status AS "status?", p.hash AS "password_hash?", p.version AS "password_version?"
FROM (VALUES (1)) AS always (one)
LEFT JOIN app_user u ON u.tenant_id = $1 AND u.email = $3
LEFT JOIN password p ON p.user_id = u.id AND p.tenant_id IS NOT DISTINCT FROM u.tenant_id

/* sign_in_attempt_reserve */
-- An attempt is counted before anything is hashed, for accounts that do not exist too. Ten are free; from there on each
-- failure doubles the wait, to a quarter of an hour. A device that the person has signed in with before ($5) has a count of
-- its own ($3), so that strangers cannot keep its owner out. All others share the account's count ($2): after a hundred
-- failures in a row none of them is let through until a success ends the count. No row in `attempt`: it is not time yet.
-- Whoever is free is not asked for the time: parallel attempts queue up for the row, and now() of the second may lie before
-- next_at of the first.
WITH person AS MATERIALIZED (
  SELECT u.id, u.tenant_id, u.status FROM app_user u WHERE u.tenant_id = $1 AND u.email = $4
), counter AS MATERIALIZED (
  SELECT $5::uuid IS NOT NULL
         AND (EXISTS (SELECT 1 FROM person n
                      JOIN browser_session b ON b.tenant_id = n.tenant_id AND b.user_id = n.id
                      WHERE b.device_id = $5)
              OR EXISTS (SELECT 1 FROM person n
                         CROSS JOIN LATERAL (SELECT s.device_id FROM session s
                                             WHERE s.tenant_id = n.tenant_id AND s.user_id = n.id
                                             ORDER BY s.id DESC LIMIT 1000) recent
                         WHERE recent.device_id = $5)
              OR EXISTS (SELECT 1 FROM person n
                         JOIN known_device k ON k.tenant_id = n.tenant_id AND k.user_id = n.id
                         WHERE k.device_id = $5)) AS known
), attempt AS (
  INSERT INTO sign_in_attempt AS a (tenant_id, account, failures, attempted_at, next_at)
  SELECT $1, CASE WHEN c.known THEN $3::bytea ELSE $2::bytea END, 1, now(), now() FROM counter c
  ON CONFLICT (tenant_id, account) DO UPDATE SET
    failures     = a.failures + 1,
    attempted_at = now(),
    next_at      = now() + make_interval(secs =>
                     CASE WHEN a.failures < 10 THEN 0 ELSE least(power(2, least(a.failures - 9, 20)), 900) END)
  WHERE (a.failures <= 10 OR a.next_at <= now()) AND (a.failures < 100 OR a.account = $3::bytea)
  RETURNING a.failures
)
SELECT (SELECT failures FROM attempt) AS failures,
       (SELECT CASE WHEN before.failures >= 100 AND NOT c.known THEN 900
                    ELSE greatest(1, ceil(extract(epoch FROM before.next_at - now())))::integer END
        FROM counter c
        JOIN sign_in_attempt before ON before.tenant_id = $1
                                   AND before.account = CASE WHEN c.known THEN $3::bytea ELSE $2::bytea END)
         AS retry_after_seconds,
       n.id AS "user_id?", n.status AS "status?", p.hash AS "password_hash?", p.version AS "password_version?"
FROM (VALUES (1)) AS always (one)
LEFT JOIN person n   ON true
LEFT JOIN password p ON p.user_id = n.id AND p.tenant_id IS NOT DISTINCT FROM n.tenant_id

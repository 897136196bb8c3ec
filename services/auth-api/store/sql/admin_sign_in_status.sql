/* admin_sign_in_status */
-- How sign-in with the password stands; $3 names the account's attempts.
SELECT EXISTS (SELECT FROM password p WHERE p.tenant_id = $1 AND p.user_id = $2) AS "has_password!",
       coalesce(a.failures, 0) AS "failures!",
       CASE WHEN a.failures > 10 AND a.next_at > now() THEN a.next_at END AS next_at
FROM (VALUES (1)) AS always (one)
LEFT JOIN sign_in_attempt a ON a.tenant_id = $1 AND a.account = $3

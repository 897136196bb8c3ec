/* signing_key_find_retirable */
-- Keys of all tenants whose last token has expired; each is retired by a statement that names its tenant.
SELECT k.tenant_id, k.id
FROM signing_key k
WHERE k.state = 3 AND k.state_at <= clock_timestamp() - make_interval(secs => $1::float8)
ORDER BY k.state_at
LIMIT $2

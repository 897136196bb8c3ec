/* access_token_check */
-- Whether a token with a good signature is still honoured, asked when the feed is too old to tell.
SELECT t.status = 1 AND t.epoch = $3 AS "tenant_good!",
       c.status = 1 AND c.epoch = $5 AS "client_good!",
       $6::uuid IS NULL OR coalesce(u.status = 1 AND s.state = 1 AND s.user_epoch = u.epoch
         AND s.tenant_epoch = t.epoch AND s.client_epoch = c.epoch, false) AS "session_good!",
       EXISTS (SELECT FROM revocation r WHERE r.kind = 2 AND r.tenant_id = $1 AND r.id = $2
               AND r.xid >= '0'::xid8) AS "jti_revoked!",
       EXISTS (SELECT FROM signing_key k WHERE k.tenant_id = $1 AND k.id = $7 AND k.state IN (2, 3)) AS "key_good!"
FROM tenant t
JOIN client c          ON c.id = $4 AND c.tenant_id IS NOT DISTINCT FROM t.id
LEFT JOIN session s    ON s.id = $6 AND s.tenant_id IS NOT DISTINCT FROM t.id AND s.client_id = c.id
LEFT JOIN app_user u   ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM t.id
WHERE t.id = $1

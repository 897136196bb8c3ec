/* tail_head */
-- $1 tenant. The newest number; none lies behind it that is not stored, see events_insert.
SELECT l.tenant_seq AS "tenant_seq!" FROM leaf l WHERE l.tenant_id = $1 ORDER BY l.tenant_seq DESC LIMIT 1

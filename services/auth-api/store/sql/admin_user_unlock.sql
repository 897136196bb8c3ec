/* admin_user_unlock */
-- The user's row is locked. The account's attempts and those of the person's own devices begin anew ($8).
WITH attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  WHERE a.tenant_id = $1 AND a.account = ANY ($8::bytea[])
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
VALUES ($3::smallint, $1, $4::smallint, $2::uuid, $5::uuid, 1, $6::bytea, $7::bytea)

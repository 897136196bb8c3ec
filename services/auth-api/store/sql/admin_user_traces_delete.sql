/* admin_user_traces_delete */
-- What else told of the person: browsers by their names, consents, counted sign-ins ($3). Their sessions stay until they are
-- purged: they name a sub that nobody has.
WITH browsers AS (
  DELETE FROM browser_session b WHERE b.tenant_id = $1 AND b.user_id = $2
), consents AS (
  DELETE FROM consent n WHERE n.tenant_id = $1 AND n.user_id = $2
)
DELETE FROM sign_in_attempt a WHERE a.tenant_id = $1 AND a.account = ANY ($3::bytea[])

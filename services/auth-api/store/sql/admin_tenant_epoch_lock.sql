/* admin_tenant_epoch_lock */
-- What the event tells as "before" is what the change in the same transaction finds.
SELECT t.epoch, t.version
FROM tenant t -- tenant: the row is the tenant
WHERE t.id = $1 AND t.status IN (1, 2)
FOR NO KEY UPDATE

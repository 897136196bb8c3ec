/* rate_window_purge */
-- Of all tenants; two minutes after a window began nobody adds to it any more.
DELETE FROM rate_window w
WHERE w.begins_at < now() - interval '2 minutes'

/* pause_lock */
SELECT p.paused_at, p.reason, p.actor_id FROM outbox_pause p WHERE p.only_row FOR UPDATE

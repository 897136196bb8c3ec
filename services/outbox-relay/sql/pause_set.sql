/* pause_set */
-- The row is locked. $1 why, $2 who; both null: resumes.
UPDATE outbox_pause SET paused_at = CASE WHEN $1::text IS NOT NULL THEN now() END, reason = $1::text, actor_id = $2::uuid
WHERE only_row
RETURNING paused_at

-- Why: what is over is removed; a device that a person signed in with stays known when its sessions and browsers are gone.
-- Locks: SHARE ROW EXCLUSIVE on app_user for a moment, while the foreign key is made: nothing is scanned. Kind: expand.
SET LOCAL lock_timeout = '3s';

-- Written by the purge alone: while a session or a browser is there, its row tells. Goes with the person.
CREATE TABLE known_device (
    user_id   uuid        NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    device_id uuid        NOT NULL,
    tenant_id uuid        NOT NULL,
    seen_at   timestamptz NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON known_device TO credo_auth_api;
GRANT DELETE ON session, revocation TO credo_auth_api;

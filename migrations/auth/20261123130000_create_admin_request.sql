-- Why: a call of the admin APIs that is repeated changes nothing more.
-- Locks: none that matter, the table is new. Kind: expand.
--
-- A row is written in the transaction of its change, so it is there exactly if the change is. `request_id` is the caller's; a
-- call without one is kept under its own `event_id`, by which a lost connection's outcome is found again.

CREATE TABLE admin_request (
    caller      uuid        NOT NULL,
    request_id  uuid        NOT NULL,
    event_id    uuid        NOT NULL, -- of the call that made the change
    method      text        NOT NULL CHECK (length(method) BETWEEN 1 AND 100),
    fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32), -- SHA-256 of what was asked for, without secrets
    object_id   uuid        NOT NULL, -- what was changed or made
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, request_id)
);
CREATE INDEX admin_request_by_age ON admin_request (created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON admin_request TO credo_auth_api;

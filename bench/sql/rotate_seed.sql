-- One tenant, one client, one person and 65,536 sessions of theirs: ids are numbers, hashes are number and generation.
INSERT INTO tenant (id, slug, display_name) VALUES ('00000000-0000-0000-0000-000000000000', 'bench', 'Bench');
INSERT INTO client (id, tenant_id, display_name, token_endpoint_auth_method, grant_types, redirect_uris, scope)
SELECT id, id, 'Bench', 'client_secret_basic', '{refresh_token}', '{}', 'openid' FROM tenant;
INSERT INTO app_user (id, tenant_id, email) SELECT id, id, 'somebody@bench.example' FROM tenant;
INSERT INTO session (id, tenant_id, user_id, client_id, device_id, state, tenant_epoch, client_epoch, user_epoch, scope,
                     actor_core, code_hash, redirect_uri, code_expires_at, redeemed_at, refresh_hash, generation, key_id,
                     attempt_id, rotated_at, auth_time, amr, expires_at, idle_ttl)
SELECT lpad(to_hex(number), 32, '0')::uuid, t.id, t.id, t.id, t.id, 1, 1, 1, 1, 'openid',
       decode(repeat('07', 60), 'hex'), decode(repeat('00', 32), 'hex'), 'https://client.example/callback', now(), now(),
       decode(lpad(to_hex(number), 16, '0') || '00000001' || repeat('00', 20), 'hex'), 1, 1,
       t.id, now(), now(), 'pwd', now() + interval '30 days', interval '7 days'
FROM tenant t, generate_series(0, 65535) AS number;

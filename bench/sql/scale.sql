-- Tenants with a client and a few people each, no limit below a million a minute, and sessions that nobody asks for.
WITH made AS (
  INSERT INTO tenant (id, slug, display_name, dangerous_trust_email)
  SELECT gen_random_uuid(), 'bench-' || number, 'Bench ' || number, true FROM generate_series(0, :tenants - 1) AS number
  RETURNING id, slug
), limited AS (
  INSERT INTO rate_limit (tenant_id, client_id, class, per_minute)
  SELECT made.id, NULL, class, 1000000 FROM made, generate_series(1, 4) AS class
), people AS (
  INSERT INTO app_user (id, tenant_id, email, email_verified)
  SELECT gen_random_uuid(), made.id, 'bench-' || number || '@t' || substr(made.slug, 7) || '.example', true
  FROM made, generate_series(0, :people - 1) AS number
), clients AS (
  INSERT INTO client (id, tenant_id, display_name, first_party, token_endpoint_auth_method, grant_types, redirect_uris, scope)
  SELECT gen_random_uuid(), made.id, 'Bench', true, 'client_secret_basic', '{authorization_code,refresh_token}',
         '{https://client.example/callback}', 'openid offline_access' FROM made
  RETURNING id, tenant_id
)
INSERT INTO client_secret (id, tenant_id, client_id, hash)
SELECT gen_random_uuid(), tenant_id, id, sha256('bench-secret') FROM clients;

INSERT INTO session (id, tenant_id, user_id, client_id, device_id, state, tenant_epoch, client_epoch, user_epoch, scope,
                     actor_core, code_hash, redirect_uri, code_expires_at, redeemed_at, refresh_hash, generation, key_id,
                     attempt_id, rotated_at, auth_time, amr, expires_at, idle_ttl)
SELECT gen_random_uuid(), c.tenant_id, c.id, c.id, c.id, 1, 1, 1, 1, 'openid',
       decode(repeat('07', 60), 'hex'), decode(repeat('00', 32), 'hex'), 'https://client.example/callback', now(), now(),
       decode(repeat('00', 32), 'hex'), 1, 1, c.id, now(), now(), 'pwd', now() + interval '30 days', interval '7 days'
FROM (SELECT c.id, c.tenant_id FROM client c JOIN tenant t ON t.id = c.tenant_id WHERE t.slug LIKE 'bench-%') c,
     generate_series(1, :sessions / :tenants) AS number;

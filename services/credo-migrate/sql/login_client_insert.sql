/* login_client_insert */
-- A public client: people sign in with a browser, and what they may do is theirs. Its redirect URI may have any port.
INSERT INTO client (id, tenant_id, display_name, first_party, token_endpoint_auth_method, application_type, grant_types,
                    redirect_uris, scope)
VALUES ($1, $2, 'credoctl', true, 'none', 'native', '{authorization_code,refresh_token}', '{http://127.0.0.1/callback}', $3)

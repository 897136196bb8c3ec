/* tenant_set */
SELECT set_config('credo.tenant_id', $1, true)

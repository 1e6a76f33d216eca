-- name: find_tenant
-- reads: tenants
-- The business of a slug; the row is visible to a caller that names it.
SELECT
    t.id,
    t.time_zone
FROM tenants AS t
WHERE t.slug = %(slug)s

-- name: lock_tenant
-- reads: tenants
-- Lets one import of a business run at a time; readers and the service's own writes go on.
SELECT t.id
FROM tenants AS t
WHERE t.id = %(tenant_id)s
FOR NO KEY UPDATE

-- name: cut_of
-- reads: tenants
-- The moment up to which things have happened: the end of the --as-of day, or now; and the beginning of the day before.
SELECT
    coalesce((%(as_of)s::date + 1)::timestamp AT TIME ZONE t.time_zone, now()) AS cut,
    (coalesce(%(as_of)s::date, (now() AT TIME ZONE t.time_zone)::date) - 1)::timestamp
        AT TIME ZONE t.time_zone AS day_before
FROM tenants AS t
WHERE t.id = %(tenant_id)s

-- name: set_as_of
-- writes: tenants
-- From now on the business is looked at as of this day (null: as of now).
UPDATE tenants
SET as_of = %(as_of)s
WHERE id = %(tenant_id)s
    AND as_of IS DISTINCT FROM %(as_of)s

-- name: write_audit
-- writes: audit_logs
-- One line for the whole import: how many rows of each table came in, changed or stayed.
INSERT INTO audit_logs (tenant_id, user_id, action, entity, entity_id, changes, request_id)
VALUES (%(tenant_id)s, %(user_id)s, 'import', 'tenant', %(tenant_id)s, %(changes)s, %(request_id)s)

-- name: analyze_imported
-- reads: tenants
-- Renew the statistics of tables that were filled; autovacuum would come to them only later.
SELECT analyze_imported(%(tables)s::text[])

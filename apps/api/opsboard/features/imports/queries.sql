-- name: find_slug
-- reads: tenants
-- The name by which an import binds itself to the business of the caller.
SELECT t.slug
FROM tenants AS t
WHERE t.id = %(tenant_id)s

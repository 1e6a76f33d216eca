-- name: read_revocations
-- reads: revocations
-- Revocations that became visible since a snapshot, and the snapshot to go on from.
-- However transactions overlap none is missed: a row counts as seen only when its transaction is visible in
-- the snapshot of the statement that read it.
SELECT json_build_object(
    'snapshot', pg_current_snapshot()::text,
    'revocations', (
        SELECT coalesce(json_agg(json_build_object(
            'tenant_id', r.tenant_id,
            'user_id', r.user_id,
            'token_id', r.token_id,
            'below_version', r.below_version,
            'until', extract(epoch FROM r.expires_at)
        )), '[]')
        FROM revocations AS r
        WHERE r.xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            AND NOT pg_visible_in_snapshot(r.xid, %(seen)s::pg_snapshot)
            AND r.expires_at > now()
    )
)::text

-- depends: 0026_audit_by_month
-- Notifications are counted as they are written, of each user the read and the unread ones: see watch_counts in
-- 0017_documents. Two rows of rollups for a user, and none for one who has no notifications or is gone.

DROP TRIGGER notifications_insert ON notifications;
DROP TRIGGER notifications_delete ON notifications;
DROP TRIGGER notifications_update ON notifications;
DROP TRIGGER notifications_truncate ON notifications;

SELECT watch_counts('notifications', 'state', 'user_id', NULL);

-- Those that were there before. Not in a migration of its own: nothing has been written to this table for long.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

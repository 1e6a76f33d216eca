DROP TRIGGER IF EXISTS notifications_insert ON notifications;
DROP TRIGGER IF EXISTS notifications_delete ON notifications;
DROP TRIGGER IF EXISTS notifications_update ON notifications;
DROP TRIGGER IF EXISTS notifications_truncate ON notifications;

SELECT unwatch_counts('notifications');

SELECT watch_changes('notifications');

-- depends: 0028_process_queues
-- Counted as they are written, see watch_counts in 0017_documents: of each user the notifications that are read and those
-- that are not (two rows of rollups, none for one who has no notifications or is gone), and of each workflow its
-- executions by status.

DROP TRIGGER notifications_insert ON notifications;
DROP TRIGGER notifications_delete ON notifications;
DROP TRIGGER notifications_update ON notifications;
DROP TRIGGER notifications_truncate ON notifications;
DROP TRIGGER workflow_execution_monitoring_insert ON workflow_execution_monitoring;
DROP TRIGGER workflow_execution_monitoring_delete ON workflow_execution_monitoring;
DROP TRIGGER workflow_execution_monitoring_update ON workflow_execution_monitoring;
DROP TRIGGER workflow_execution_monitoring_truncate ON workflow_execution_monitoring;

SELECT watch_counts('notifications', 'state', 'user_id', NULL);
SELECT watch_counts('workflow_execution_monitoring', 'status', 'workflow_id', NULL);
SELECT count_updates_by_statement(
    'workflow_execution_monitoring', '+workflow_execution_monitoring', 'status', 'workflow_id'
);

-- Those that were there before. Not in a migration of its own: nothing has been written to these tables for long.
SELECT rebuild_rollups(t.id) FROM tenants AS t;

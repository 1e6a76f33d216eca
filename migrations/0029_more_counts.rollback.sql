DROP TRIGGER IF EXISTS notifications_insert ON notifications;
DROP TRIGGER IF EXISTS notifications_delete ON notifications;
DROP TRIGGER IF EXISTS notifications_update ON notifications;
DROP TRIGGER IF EXISTS notifications_truncate ON notifications;
DROP TRIGGER IF EXISTS workflow_execution_monitoring_insert ON workflow_execution_monitoring;
DROP TRIGGER IF EXISTS workflow_execution_monitoring_delete ON workflow_execution_monitoring;
DROP TRIGGER IF EXISTS workflow_execution_monitoring_update ON workflow_execution_monitoring;
DROP TRIGGER IF EXISTS workflow_execution_monitoring_truncate ON workflow_execution_monitoring;

DROP FUNCTION IF EXISTS count_rewritten_workflow_execution_monitoring();
SELECT unwatch_counts('notifications');
SELECT unwatch_counts('workflow_execution_monitoring');

SELECT watch_changes('notifications');
SELECT watch_partitioned('workflow_execution_monitoring');

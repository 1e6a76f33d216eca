DROP TABLE IF EXISTS workflow_alerts;
DROP TABLE IF EXISTS workflow_execution_monitoring;
DROP TABLE IF EXISTS workflows;

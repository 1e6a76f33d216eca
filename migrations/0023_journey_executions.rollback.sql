DROP FUNCTION IF EXISTS businesses_of_journeys();
DROP TABLE IF EXISTS journey_messages;
SELECT unwatch_counts('journey_messages');
DROP TABLE IF EXISTS journey_node_executions;
DROP FUNCTION IF EXISTS count_rewritten_journey_node_executions();
SELECT unwatch_counts('journey_node_executions');
DROP TABLE IF EXISTS journey_step_keys;

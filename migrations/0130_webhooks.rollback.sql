DROP FUNCTION IF EXISTS publish_alert(bigint [], text, text, json);
DROP FUNCTION IF EXISTS prune_deliveries(integer, integer);
DROP FUNCTION IF EXISTS businesses_without_digest(integer);
DROP FUNCTION IF EXISTS businesses_with_deliveries();
DROP TABLE IF EXISTS deliveries;
SELECT unwatch_counts('deliveries');
DROP TABLE IF EXISTS webhooks;

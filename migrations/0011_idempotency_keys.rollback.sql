DROP FUNCTION IF EXISTS prune_idempotency_keys(integer);
DROP TABLE IF EXISTS idempotency_keys;

DROP FUNCTION IF EXISTS prune_sign_ins(integer);
DROP TABLE IF EXISTS sign_in_attempts;

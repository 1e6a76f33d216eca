DROP TABLE IF EXISTS messages;
DROP FUNCTION IF EXISTS count_rewritten_messages();
SELECT unwatch_counts('messages');
DROP TABLE IF EXISTS conversation_reads;
DROP TABLE IF EXISTS conversations;
SELECT unwatch_counts('conversations');
DROP TABLE IF EXISTS contacts;
SELECT unwatch_counts('contacts');

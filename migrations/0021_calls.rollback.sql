DROP TABLE IF EXISTS call_log;
SELECT unwatch_counts('call_log');

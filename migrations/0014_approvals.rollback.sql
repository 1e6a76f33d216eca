DROP TABLE IF EXISTS auto_responses;
DROP TABLE IF EXISTS approval_history;
DROP TABLE IF EXISTS approval_queue;
DROP TABLE IF EXISTS response_approvals;

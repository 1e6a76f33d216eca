DROP TABLE IF EXISTS lead_status_history;
DROP TABLE IF EXISTS leads;

DROP TABLE IF EXISTS job_status_links;

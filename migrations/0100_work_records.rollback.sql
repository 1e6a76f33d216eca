DROP TABLE IF EXISTS work_records;

-- depends: 0162_indexes_of_reasons
-- Confirms the references and the length of 0160. It reads the tables beside readers and writers.
ALTER TABLE work_records VALIDATE CONSTRAINT work_records_length;
ALTER TABLE work_records VALIDATE CONSTRAINT work_records_process_fkey;
ALTER TABLE work_records VALIDATE CONSTRAINT work_records_reject_reason_fkey;
ALTER TABLE machine_stops VALIDATE CONSTRAINT machine_stops_reason_fkey;

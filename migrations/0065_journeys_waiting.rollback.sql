DROP FUNCTION IF EXISTS oldest_due_step();

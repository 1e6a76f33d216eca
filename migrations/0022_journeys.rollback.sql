DROP TABLE IF EXISTS journey_contacts;
SELECT unwatch_counts('journey_contacts');
DROP TABLE IF EXISTS journey_edges;
DROP TABLE IF EXISTS journey_nodes;
DROP TABLE IF EXISTS journeys;
SELECT unwatch_counts('journeys');

DROP TABLE IF EXISTS journey_contacts;
DROP TABLE IF EXISTS journey_edges;
DROP TABLE IF EXISTS journey_nodes;
DROP TABLE IF EXISTS journeys;

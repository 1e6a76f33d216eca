// Each line marked "wrong" has one mistake, which the compiler must find.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const api = createClient<paths>({ baseUrl: "http://opsboard.example" });
declare const job: components["schemas"]["Job"];
declare const problem: components["schemas"]["Problem"];

job.titel; // wrong
problem.reason; // wrong
const title: number = job.title; // wrong
await api.GET("/api/jbos"); // wrong
await api.DELETE("/api/jobs"); // wrong
await api.GET("/api/jobs/{job_id}"); // wrong
await api.GET("/api/jobs", { params: { query: { sort: "colour" } } }); // wrong
await api.GET("/api/jobs", { params: { query: { colour: "red" } } }); // wrong
await api.POST("/api/jobs", { body: { titel: "A job" } }); // wrong
await api.POST("/api/jobs", { body: { title: "A job", priority: "highest" } }); // wrong
(await api.GET("/api/settings")).data?.nothing; // wrong
job.title;

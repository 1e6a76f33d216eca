// Signs in, reads and writes jobs, and prints the answers as JSON for the test.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl = "", email = "", password = ""] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl });

const signedIn = await api.POST("/api/auth/login", { body: { email, password } });
if (!signedIn.data) throw new Error(signedIn.error.detail);
const token: string = signedIn.data.access_token;
api.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${token}`);
  },
});

const created = await api.POST("/api/jobs", { body: { title: "A job of the client", priority: "high" } });
if (!created.data) throw new Error(created.error.detail);
const id: number = created.data.id;

const changed = await api.PATCH("/api/jobs/{job_id}", {
  params: { path: { job_id: id } },
  body: { priority: "low" },
});
if (!changed.data) throw new Error(changed.error.detail);

const read = await api.GET("/api/jobs/{job_id}", { params: { path: { job_id: id } } });
if (!read.data) throw new Error(read.error.detail);

const list = await api.GET("/api/jobs", { params: { query: { page_size: 3, sort: "-created_at" } } });
if (!list.data) throw new Error(list.error.detail);
const total: number = list.data.total ?? 0;

const settings = await api.GET("/api/settings");
if (!settings.data) throw new Error(settings.error.detail);

const missing = await api.GET("/api/jobs/{job_id}", { params: { path: { job_id: 999_999_999 } } });
const problem: components["schemas"]["Problem"] | undefined = missing.error;

console.log(JSON.stringify({
  title: read.data.title,
  priority: changed.data.priority,
  first: list.data.items[0]?.id === id,
  items: list.data.items.length,
  counted: total > list.data.items.length,
  settings: Object.keys(settings.data).length > 0,
  status: missing.response.status,
  code: problem?.code,
}));

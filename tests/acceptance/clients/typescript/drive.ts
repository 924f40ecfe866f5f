// Asks a server by the types that openapi-typescript made of its document. That it compiles is half of the test.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };
const [url, key, row] = [process.argv[2]!, process.argv[3]!, process.argv[4]!];
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
const passenger: components["schemas"]["titanic.Row"] = JSON.parse(row);

// @ts-expect-error No model has an input of this name.
const misspelt: components["schemas"]["titanic.Row"] = { ...passenger, shoe_size: 42 };
// @ts-expect-error An age is a number.
const mistyped: components["schemas"]["titanic.Row"] = { ...passenger, age: "old" };

const models = await client.GET("/api/v1/models/", { params: { query: { ordering: "name" } } });
const one = await client.POST("/api/v1/models/titanic/predict/", { body: passenger });
const many = await client.POST("/api/v1/models/titanic/predict/", { body: { instances: [passenger, passenger] } });
const wrong = await client.POST("/api/v1/models/titanic/predict/", { body: mistyped });
const unknown = await client.POST("/api/v1/models/titanic/predict/", { body: misspelt });

console.log(JSON.stringify({
  models: models.data?.results.map((model) => model.name),
  prediction: typeof one.data === "object" && "prediction" in one.data ? one.data.prediction : null,
  predictions: typeof many.data === "object" && "predictions" in many.data ? many.data.predictions : null,
  wrong: { status: wrong.response.status, attrs: wrong.error?.errors.map((fault) => fault.attr) },
  unknown: { status: unknown.response.status, attrs: unknown.error?.errors.map((fault) => fault.attr) },
}));

// The gateway that a user would write in JavaScript: Express and the official Neo4j driver.
import express from "express";
import neo4j from "neo4j-driver";

const { DATABASE_URI, DATABASE_USER = "neo4j", DATABASE_PASSWORD = "password", PORT } = process.env;
const auth = neo4j.auth.basic(DATABASE_USER, DATABASE_PASSWORD);
// Plain numbers instead of the driver's own integers, so that the response is ordinary JSON.
const driver = neo4j.driver(DATABASE_URI, auth, { disableLosslessIntegers: true });

const app = express();
app.use(express.json({ limit: "10mb" }));

app.post("/query", async (request, response) => {
  const { statement, parameters } = request.body;
  const session = driver.session({ database: "neo4j" });
  try {
    const result = await session.run(statement, parameters);
    response.json({ rows: result.records.map((record) => record.toObject()) });
  } finally {
    await session.close();
  }
});

app.post("/transaction", async (request, response) => {
  const session = driver.session({ database: "neo4j" });
  try {
    const transaction = await session.beginTransaction();
    const results = [];
    for (const { statement, parameters } of request.body.statements) {
      const result = await transaction.run(statement, parameters);
      results.push({ rows: result.records.map((record) => record.toObject()) });
    }
    await transaction.commit();
    response.json({ results });
  } finally {
    await session.close();
  }
});

app.use((error, request, response, next) => {
  response.status(400).json({ error: { code: error.code, message: error.message } });
});

app.listen(Number(PORT), "127.0.0.1");

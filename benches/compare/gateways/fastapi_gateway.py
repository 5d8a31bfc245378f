"""The gateway that a user would write in Python: FastAPI and the official Neo4j driver.

    DATABASE_URI=bolt://127.0.0.1:7687 uvicorn --app-dir gateways fastapi_gateway:app
"""

import os
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import Neo4jError
from pydantic import BaseModel

URI = os.environ["DATABASE_URI"]
AUTH = (os.environ.get("DATABASE_USER", "neo4j"), os.environ.get("DATABASE_PASSWORD", "password"))


class Statement(BaseModel):
    statement: str
    parameters: dict[str, Any] = {}


class Statements(BaseModel):
    statements: list[Statement]


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncGraphDatabase.driver(URI, auth=AUTH) as driver:
        app.state.driver = driver
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/query")
async def query(statement: Statement, request: Request):
    async with request.app.state.driver.session(database="neo4j") as session:
        result = await session.run(statement.statement, statement.parameters)
        return JSONResponse({"rows": await result.data()})


@app.post("/transaction")
async def transaction(body: Statements, request: Request):
    async with request.app.state.driver.session(database="neo4j") as session:
        async with await session.begin_transaction() as tx:
            results = []
            for statement in body.statements:
                result = await tx.run(statement.statement, statement.parameters)
                results.append({"rows": await result.data()})
            await tx.commit()
            return JSONResponse({"results": results})


@app.exception_handler(Neo4jError)
async def refused(request: Request, error: Neo4jError):
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, status_code=400)

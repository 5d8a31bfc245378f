// Node's fetch, http with a keep-alive agent, and a bare socket, against a gateway at BOLTGATE_CLIENT_URL.
//
// Run by run-plain-clients, which says what is tried.

import http from 'node:http'
import net from 'node:net'

const url = process.env.BOLTGATE_CLIENT_URL
const { hostname, port } = new URL(url)
const path = '/db/neo4j/query/v2'
const good = '{"statement":"RETURN 1 AS a"}'

async function check(name, action) {
  try {
    await action()
    console.log(`ok - ${name}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`not ok - ${name}: ${error.message} ${error.cause ?? ''}`)
  }
}

function expect(expected, found) {
  if (expected !== found) throw new Error(`expected ${expected}, found ${found}`)
}

const byFetch = {
  name: 'node fetch',
  async post(path, body, headers = {}) {
    headers = { 'Content-Type': 'application/json', ...headers }
    const response = await fetch(url + path, { method: 'POST', headers, body })
    await response.arrayBuffer()
    return response.status
  }
}

// One connection at a time, kept: whoever gets it after an early answer must find it in order.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
const byAgent = {
  name: 'node http',
  post(path, body, headers = {}) {
    headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers }
    return new Promise((resolve, reject) => {
      const request = http.request(url + path, { method: 'POST', headers, agent }, response => {
        response.resume()
        response.on('error', reject)
        response.on('end', () => resolve(response.statusCode))
      })
      request.on('error', reject)
      if (headers.Expect) {
        request.on('continue', () => request.end(body))
        request.flushHeaders()
      } else {
        request.end(body)
      }
    })
  }
}

async function pairs(client, times, status, path, body, headers) {
  for (let i = 0; i < times; i++) {
    expect(status, await client.post(path, body, headers))
    expect(202, await client.post('/db/neo4j/query/v2', good))
  }
}

const halfClosed = request =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = net.connect({ host: hostname, port, allowHalfOpen: true }, () => socket.end(request))
    socket.on('data', data => (answer += data))
    socket.on('error', reject)
    socket.on('end', () => resolve(answer))
  })

for (const client of [byFetch, byAgent]) {
  for (const size of [100, 8_000, 60_000, 3_000_000]) {
    const body = ' '.repeat(size)
    await check(`${client.name}: an early 404 to a body of ${size} bytes`, () => pairs(client, 20, 404, '/nothing', body))
    await check(`${client.name}: an early 400 to a body of ${size} bytes`, () =>
      pairs(client, 20, 400, path, body, { Authorization: 'Nope' })
    )
  }
  const long = ' '.repeat(3_000_000)
  await check(`${client.name}: an early 413 to a body of 3000000 bytes`, () => pairs(client, 20, 413, path, long))
  await check(`${client.name}: long heads`, async () => {
    for (const [size, status] of [[16_400, 202], [60_000, 202], [70_000, 431], [1_000_000, 431]]) {
      await pairs(client, 2, status, path, good, { 'X-Padding': 'x'.repeat(size) })
    }
  })
}
await check('node http: Expect: 100-continue', async () => {
  const expected = { Expect: '100-continue' }
  await pairs(byAgent, 20, 415, path, good, { ...expected, 'Content-Type': 'text/plain' })
  await pairs(byAgent, 20, 202, path, good, expected)
})
await check('node socket: half-closed connections', async () => {
  for (let i = 0; i < 20; i++) {
    const lines = `Host: ${hostname}:${port}\r\nContent-Type: application/json\r\nContent-Length: ${good.length}\r\n`
    const answer = await halfClosed(`POST ${path} HTTP/1.1\r\n${lines}\r\n${good}`)
    expect('HTTP/1.1 202', answer.slice(0, 12))
  }
})
agent.destroy()

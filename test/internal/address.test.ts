import { assert, describe, it } from "@effect/vitest"
import * as Address from "../../src/internal/address.js"

const here = [
  "http://localhost:3000",
  "http://langfuse.localhost",
  "http://127.0.0.1:3000/base",
  "http://127.8.9.1",
  "http://[::1]:3000"
]
const nearby = [
  "http://10.0.0.7",
  "http://172.16.0.1:3000",
  "http://172.31.255.255",
  "http://192.168.1.20",
  "http://169.254.1.1",
  "http://[fd12:3456::1]",
  "http://[fe80::1]",
  "http://langfuse-web:3000",
  "http://otel-collector:4318/base",
  "https://langfuse.corp.internal",
  "http://printer.local"
]
const far = [
  "https://cloud.langfuse.com",
  "https://us.cloud.langfuse.com",
  "https://langfuse.example.com/base",
  "http://8.8.8.8",
  "http://172.15.0.1",
  "http://172.32.0.1",
  "http://192.169.0.1",
  "http://11.0.0.1",
  "http://[2001:db8::1]",
  "https://localhost.example.com",
  "https://127.0.0.1.example.com",
  "https://internal.example.com"
]

describe("addresses", () => {
  it.each(here)("%s is this machine", (url) => {
    assert.isTrue(Address.isThisMachine(url))
  })

  it.each(nearby)("%s is another machine", (url) => {
    assert.isFalse(Address.isThisMachine(url))
  })

  it.each(far)("%s is another machine, far away", (url) => {
    assert.isFalse(Address.isThisMachine(url))
  })
})

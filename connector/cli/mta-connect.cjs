#!/usr/bin/env node
// libuv reads the size of its thread pool before any module runs, so this has to come first.
process.env.UV_THREADPOOL_SIZE ??= '16'
require('node:module').enableCompileCache?.()
void import('../../dist/connector/cli/mta-connect.js')

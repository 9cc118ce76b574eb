// A debugger, as far as it takes to stop at a line of filter/index.ts: it knows a module alone, and finds the rest through
// the source map that the module names. Says where it stopped.
// Usage: node --experimental-websocket debug-build-child.mjs MODULE.wasm (Node 20 has no WebSocket without that)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const source = 'filter/index.ts';
const lines = readFileSync(new URL(`../../${source}`, import.meta.url), 'utf8').split('\n');
const line = lines.findIndex((text) => text.includes('function proxy_on_vm_start(')) + 1;
const bytes = readFileSync(process.argv[2]);

const program = `
  const module = new WebAssembly.Module(require('node:fs').readFileSync(process.argv[1]));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
  const { exports } = new WebAssembly.Instance(module, imports);
  exports._initialize();
  debugger;
  exports.proxy_on_vm_start(1, 0);`;
const target = spawn(process.execPath, ['--inspect-brk=127.0.0.1:0', '-e', program, process.argv[2]], {
  stdio: ['ignore', 'inherit', 'pipe'],
});
const socket = new globalThis.WebSocket(await addressOf(target));
await once(socket, 'open');

const answers = new Map();
const pauses = [];
let paused = () => {};
let script;
socket.addEventListener('message', ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (id !== undefined) answers.get(id)(error ?? result);
  if (method === 'Debugger.scriptParsed' && params.scriptLanguage === 'WebAssembly') script = params;
  if (method === 'Debugger.paused') {
    pauses.push(params.callFrames[0]);
    paused();
  }
});

await ask('Debugger.enable');
await ask('Runtime.runIfWaitingForDebugger');
await nextPause(); // at the first line of the program
await ask('Debugger.resume');
await nextPause(); // at its statement `debugger`
const map = new SourceMap(JSON.parse(readFileSync(fileURLToPath(script.sourceMapURL), 'utf8')));
const columnNumber = offsetOf(map);
await ask('Debugger.setBreakpoint', { location: { scriptId: script.scriptId, lineNumber: 0, columnNumber } });
await ask('Debugger.resume');
const { functionName, location } = await nextPause();
const { originalSource, originalLine } = map.findEntry(0, location.columnNumber);
console.log(JSON.stringify({ function: functionName, source: originalSource, text: lines[originalLine]?.trim() }));
target.kill();
socket.close();

async function addressOf({ stderr }) {
  for await (const said of createInterface({ input: stderr })) {
    const [address] = /ws:\S+/.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('the program ended before a debugger could be attached');
}

function ask(method, params = {}) {
  const id = answers.size;
  return new Promise((resolve) => {
    answers.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
  });
}

async function nextPause() {
  while (pauses.length === 0) await new Promise((resolve) => (paused = resolve));
  return pauses.shift();
}

/** The first byte of the module that belongs to the line. */
function offsetOf(map) {
  for (let offset = 0; offset < bytes.length; offset++) {
    const { originalSource, originalLine } = map.findEntry(0, offset);
    if (originalSource === source && originalLine === line) return offset;
  }
  throw new Error(`the map has no byte for line ${line + 1} of ${source}`);
}

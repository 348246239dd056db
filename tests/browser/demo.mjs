// A demo of our own, on a free port.

import { spawn } from 'node:child_process';
import process from 'node:process';
import readline from 'node:readline';

export async function startDemo() {
  const program = process.env.HEYAN ?? 'target/debug/heyan';
  const child = spawn(program, ['demo', '--json', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => { log += data; });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = readline.createInterface({ input: child.stdout });
  const line = await Promise.race([
    new Promise((resolve) => lines.once('line', resolve)),
    ended.then(() => { throw new Error(`the demo has ended:\n${log}`); }),
  ]);
  const facts = JSON.parse(line);
  const accounts = Object.fromEntries(facts.accounts.map((account) => [account.role, account]));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const signal = (name) => child.kill(name);
  return { ...facts, accounts, signal, stop };
}

//! Every query of every dashboard, asked of a real Prometheus that scrapes a real offhours in which everything has gone wrong.
//!
//! An answer without a value fails. OFFHOURS names the program; promtool and prometheus have to be there.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { ROOT, boards, panels, plain, ruleFiles, catalogue } = require('./boards.js');
const { all, parse } = require('./promql.js');
const world = require('./world.js');

const PROGRAM = process.env.OFFHOURS ?? path.join(ROOT, 'target/debug/offhours');
/** Longer than anything takes: only a failure waits for it. */
const DEADLINE_MS = 60_000;
const POLL_MS = 200;
/** How far the history goes back that the rules of several days look at, and its steps: those of the longest subquery. */
const HISTORY_MS = 4 * 3600 * 1000;
const STEP_MS = 600 * 1000;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'offhours-dashboards-'));
const file = (name) => path.join(folder, name);
const running = [];
let prometheus;

/** Calls until there is an answer, and then gives it. */
async function eventually(what, ask) {
  const deadline = Date.now() + DEADLINE_MS;
  for (let last; ; ) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    if (deadline < Date.now()) throw new Error(`${what}: not within ${DEADLINE_MS} ms${last ? `: ${last.message}` : ''}`);
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

/** Starts a program; what it says goes to a file. */
function start(name, program, args) {
  const log = fs.openSync(file(`${name}.log.txt`), 'a');
  const child = spawn(program, args, { stdio: ['ignore', log, log], env: { ...process.env, NO_COLOR: '1', RUST_LOG: '' } });
  const ended = new Promise((done) => child.once('exit', done));
  child.once('error', (error) => fs.writeSync(log, `${error.message}\n`));
  running.push({ child, ended });
  return { child, ended };
}

async function stop({ child, ended }) {
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await ended;
}

function freePort() {
  return new Promise((done, failed) => {
    const server = net.createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function get(url, parameters = {}) {
  const text = new URLSearchParams(parameters).toString();
  const response = await fetch(text ? `${url}?${text}` : url);
  assert.ok(response.ok, `${response.status} from ${url}: ${text}: ${response.ok ? '' : await response.text()}`);
  return response;
}

/** The result of a query of Prometheus' HTTP interface. */
async function ask(route, parameters) {
  return (await (await get(`${prometheus.url}/api/v1/${route}`, parameters)).json()).data;
}
const instant = async (query) => (await ask('query', { query })).result;

async function startOffhours() {
  const args = ['serve', '--config.file', file('offhours.yml'), '--storage.path', file('data'), '--web.listen-address', '127.0.0.1:0'];
  start('offhours', PROGRAM, args);
  const said = await eventually('offhours listens', () => /listening.* address=(\S+)/.exec(fs.readFileSync(file('offhours.log.txt'), 'utf8')));
  await eventually('offhours is ready', async () => (await fetch(`http://${said[1]}/-/ready`)).ok);
  return said[1];
}

async function startPrometheus(target) {
  const rules = ruleFiles().map((one) => path.join(ROOT, 'alerts', one.file));
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [{ job_name: 'offhours', static_configs: [{ targets: [target] }] }],
  };
  fs.writeFileSync(file('prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  const args = ['--config.file', file('prometheus.yml'), '--storage.tsdb.path', file('tsdb'), `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
  prometheus = { ...start('prometheus', 'prometheus', args), url: `http://127.0.0.1:${port}` };
  await eventually('Prometheus is ready', async () => (await fetch(`${prometheus.url}/-/ready`)).ok);
}

/** What rules record, and look back at over days: those within a subquery. */
function lookedBackAt() {
  const rules = ruleFiles().flatMap((one) => one.rules);
  const recorded = new Set(rules.map((rule) => rule.record).filter(Boolean));
  const names = rules.flatMap((rule) =>
    all(parse(rule.expr, rule.record ?? rule.alert), 'SubqueryExpr').flatMap((node) => all(node, 'Identifier').map((one) => rule.expr.slice(one.from, one.to))),
  );
  return [...new Set(names)].filter((name) => recorded.has(name));
}

/**
 * Gives Prometheus a past in which nothing had happened: the series that the rules have just recorded, at 0 for some
 * hours. Without it nothing could be compared with days ago before the first full hour.
 */
async function giveAPast(began) {
  const names = lookedBackAt();
  const found = await eventually('the rules record', async () => {
    const results = await Promise.all(names.map((name) => instant(name)));
    return results.every((result) => 0 < result.length) && results.flat();
  });
  await stop(prometheus);
  const lines = names.flatMap((name) => [
    `# TYPE ${name} gauge`,
    ...found.filter((one) => one.metric.__name__ === name).flatMap(({ metric: { __name__, ...labels } }) => {
      const series = `${name}{${Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
      const last = Math.floor((began - 60_000) / STEP_MS) * STEP_MS;
      const stamps = Array.from({ length: HISTORY_MS / STEP_MS }, (_, i) => last - HISTORY_MS + (i + 1) * STEP_MS);
      return stamps.map((stamp) => `${series} 0 ${stamp / 1000}`);
    }),
  ]);
  fs.writeFileSync(file('past.txt'), `${lines.join('\n')}\n# EOF\n`);
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file('past.txt'), file('tsdb')], { stdio: 'pipe' });
}

/** What happens while it is watched. */
async function live() {
  const now = Date.now();
  const at = (seconds) => world.iso(now + seconds * 1000);
  const north = (fields) => fs.appendFileSync(file('north.log'), world.line(fields));
  const south = (fields) => fs.appendFileSync(file('south.log'), world.line(fields));
  // A plan whose start passes before the line that claims to have kept it is read.
  south({ time: at(0), change_id: 'S-1', status: 'confirmed', procedure: 'patching', service: 'norma', planned_start: at(0), planned_end: at(3600) });
  north({ time: at(0), change_id: 'C-9', status: 'confirmed', procedure: 'backup', service: 'norma', planned_start: at(1), planned_end: at(3600) });
  north({ time: at(0), event: 'started', run_id: 'L-1', procedure: 'backup', service: 'norma', trigger: 'schedule', change_id: 'C-9' });
  north({ time: at(0), event: 'started', run_id: 'L-2', procedure: 'compaction', service: 'orion', trigger: 'manual' });
  north({ time: at(0), event: 'started', run_id: 'L-2', procedure: 'compaction', service: 'orion', trigger: 'manual' });
  north({ time: at(0), event: 'finished', run_id: 'L-1' });
  // As agreed: its verdict is final at its end, because nobody has to approve it.
  north({ time: at(0), event: 'started', run_id: 'L-3', procedure: 'compaction', service: 'norma', trigger: 'schedule' });
  north({ time: at(0), event: 'finished', run_id: 'L-3' });
  north({ time: at(0), event: 'exploded', run_id: 'L-2' });
  await eventually('the plan has passed', () => now + 2000 < Date.now());
  south({ time: at(0), event: 'started', run_id: 'S-1', procedure: 'patching', service: 'norma', change_id: 'S-1' });
  await eventually('it has been read', async () => 0 < (await instant('maintenance_runs_in_progress{partner="southhost"} > 0')).length);
  // The log is cut by somebody who copies it first.
  fs.truncateSync(file('south.log'), 0);
  south({ time: at(3), msg: 'heartbeat' });
}

before(async () => {
  const began = Date.now();
  fs.writeFileSync(file('offhours.yml'), world.config(began));
  fs.writeFileSync(file('windows.ics'), world.calendar(began));
  fs.writeFileSync(file('north.log'), world.history(began));
  fs.writeFileSync(file('desk.log'), world.approvals(began));
  fs.writeFileSync(file('south.log'), world.line({ time: world.iso(began - 60_000), msg: 'heartbeat' }));
  const address = await startOffhours();
  await startPrometheus(address);
  await giveAPast(began);
  await startPrometheus(address);
  const seen = async (query) => 0 < (await instant(query)).length;
  await eventually('some scrapes', () => seen('count_over_time(up[10s]) > 3'));
  await live();
  await eventually('what was written is seen', () => seen('sum(increase(maintenance_notice_seconds_count[5m])) > 0 and sum(increase(maintenance_run_duration_seconds_count[5m])) > 0'));
  await eventually('the cut is seen', () => seen('sum(offhours_source_possible_loss_total) > 0'));
});

after(async () => {
  for (const one of running) await stop(one);
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A query as Grafana would send it with every variable at "all". */
const sent = (expr) => plain(expr).replaceAll(/\$\{?(\w+)\}?/g, (all, name) => (/^\d+$/.test(name) ? all : '.*'));

/** The values of an answer that are numbers. */
const numbers = (result) => result.flatMap((one) => (one.values ?? [one.value]).map(([, value]) => Number(value)).filter((value) => !Number.isNaN(value)));

test('every reason is there', async () => {
  const per = (query) => instant(query).then((result) => result.map((one) => one.metric.reason).sort());
  const all = await per('count by (reason) (maintenance_violations_total)');
  const found = await per('sum by (reason) (maintenance_violations_total) > 0');
  assert.ok(15 < all.length, `${all}`);
  assert.deepEqual(found, all);
});

test('every metric of the catalogue that a dashboard asks for was scraped', async () => {
  const { data } = await (await get(`${prometheus.url}/api/v1/label/__name__/values`)).json();
  const text = JSON.stringify(boards().map(({ board }) => board));
  const asked = [...catalogue().keys()].filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  assert.ok(40 < asked.length);
  assert.deepEqual(asked.filter((name) => !data.includes(name)), []);
});

test('the rules evaluate', async () => {
  const { groups } = await ask('rules', {});
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(20 < rules.length);
  assert.deepEqual(rules.filter((rule) => rule.health !== 'ok').map((rule) => `${rule.name}: ${rule.health} ${rule.lastError ?? ''}`), []);
});

for (const { file: board, board: content } of boards()) {
  test(`${board}: no query has an empty answer`, async () => {
    const empty = [];
    let asked = 0;
    const check = async (where, route, parameters) => {
      asked += 1;
      const { result } = await ask(route, parameters);
      if (numbers(result).length === 0) empty.push(`${where}: ${parameters.query} gives ${JSON.stringify(result).slice(0, 200)}`);
    };
    const end = Date.now() / 1000;
    for (const panel of panels(content)) {
      for (const target of panel.targets) {
        const query = sent(target.expr);
        const where = `${panel.title} ${target.refId}`;
        if (target.instant) await check(where, 'query', { query, time: end });
        else await check(where, 'query_range', { query, start: end - 120, end, step: 1 });
      }
    }
    for (const one of content.annotations.list) await check(one.name, 'query', { query: sent(one.expr) });
    for (const one of content.templating.list.filter((variable) => variable.type === 'query')) {
      asked += 1;
      const [, match, label] = /^label_values\((.+), (\w+)\)$/.exec(one.query);
      const values = await ask(`label/${label}/values`, { 'match[]': sent(match) });
      if (values.length === 0) empty.push(`variable ${one.name}`);
    }
    console.log(`${board}: ${asked} queries`);
    assert.ok(0 < asked);
    assert.deepEqual(empty, []);
  });
}

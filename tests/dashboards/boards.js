//! The dashboards, the catalogue of metrics and the rules, as the checks read them.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const YAML = require('yaml');
const { Labels } = require('./promql.js');

const ROOT = path.resolve(__dirname, '../..');
const FOLDER = path.join(ROOT, 'dashboards');
/** Durations in place of Grafana's, so that an expression can be parsed and run. */
const DURATIONS = { __rate_interval: '15s', __range: '10m', __interval: '1s' };

const read = (...parts) => fs.readFileSync(path.join(ROOT, ...parts), 'utf8');

/** All dashboards, discovered: `{ file, board }`. */
function boards() {
  const files = fs.readdirSync(FOLDER).filter((file) => file.endsWith('.json')).sort();
  return files.map((file) => ({ file, board: JSON.parse(read('dashboards', file)) }));
}

/** Panels that show something, also those of collapsed rows. */
function panels(board) {
  return board.panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));
}

/** Grafana's own durations replaced; variables stay, as they stand in strings only. */
function plain(expr) {
  return Object.entries(DURATIONS).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr);
}

/** The labels of every series of the catalogue, histograms with their parts. */
function catalogue() {
  const known = new Map([['up', new Set(['job', 'instance'])]]);
  const own = (text) => [...text.matchAll(/`([a-z_]+)`/g)].map((found) => found[1]);
  for (const line of read('docs/metrics.md').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 5 || !/^`[a-z_]+`$/.test(cells[1])) continue;
    const name = cells[1].slice(1, -1);
    const labels = [...own(cells[3]), 'job', 'instance'];
    const parts = cells[2] === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const part of parts) known.set(name + part, new Set(part === '_bucket' ? [...labels, 'le'] : labels));
  }
  return known;
}

/** The files of rules: `{ file, rules }`. */
function ruleFiles() {
  const files = fs.readdirSync(path.join(ROOT, 'alerts')).filter((file) => file.endsWith('.rules.yaml')).sort();
  return files.map((file) => ({ file, rules: YAML.parse(read('alerts', file)).groups.flatMap((group) => group.rules) }));
}

/** The catalogue and what the rules record, in the order in which they may use each other. */
function series() {
  const known = catalogue();
  for (const { file, rules } of ruleFiles()) {
    for (const rule of rules.filter((one) => one.record)) {
      const labels = new Labels(known).of(rule.expr, `${file}: ${rule.record}`);
      known.set(rule.record, new Set([...labels, ...Object.keys(rule.labels ?? {})]));
    }
  }
  return known;
}

module.exports = { ROOT, FOLDER, boards, panels, plain, catalogue, ruleFiles, series, read };

//! The rules hold for every dashboard, and each of them finds the mistake that it is there for.
'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const YAML = require('yaml');
const { boards, panels, read, ruleFiles, series } = require('./boards.js');
const { Labels } = require('./promql.js');
const { RULES } = require('./rules.js');

const known = series();
const { exclusions } = YAML.parse(read('dashboards', '.lint'));

/** What a rule finds, without what is excluded. A finding begins with the title of its panel. */
function findings(rule, { file, board }) {
  const excluded = (text) =>
    (exclusions[rule]?.entries ?? []).some((one) => one.dashboard === board.title && (!one.panel || text.startsWith(one.panel)));
  return RULES[rule](board, known, file).filter((text) => !excluded(text));
}

/** One mistake for each rule: what is done to the dashboard `exporter`. */
const query = (expr) => (board) => (board.panels[0].targets[0].expr = expr);
const MISTAKES = {
  'template-datasource-rule': (board) => (board.templating.list[0].name = 'prom'),
  'template-job-rule': (board) => (board.templating.list.find((one) => one.name === 'job').multi = false),
  'template-instance-rule': (board) => (board.templating.list = board.templating.list.filter((one) => one.name !== 'instance')),
  'template-label-promql-rule': (board) => (board.templating.list[1].query = 'label_values(offhours_build_info, jobs)'),
  'template-on-time-change-reload-rule': (board) => (board.templating.list[1].refresh = 1),
  'panel-datasource-rule': (board) => (board.panels[0].targets[0].datasource = { type: 'prometheus', uid: 'mine' }),
  'panel-title-description-rule': (board) => delete board.panels[0].description,
  'panel-units-rule': (board) => (board.panels[0].fieldConfig.defaults.unit = 'seconds'),
  'panel-no-targets-rule': (board) => (board.panels[0].targets = []),
  'target-promql-rule': query('sum(up{'),
  'target-rate-interval-rule': query('rate(offhours_ledger_commits_total{job=~"$job", instance=~"$instance"}[5m])'),
  'target-job-rule': query('up{instance=~"$instance"}'),
  'target-instance-rule': query('up{job=~"$job", instance="$instance"}'),
  'target-counter-agg-rule': query('sum(offhours_ledger_commits_total{job=~"$job", instance=~"$instance"})'),
  'template-variable-matchers-rule': query('offhours_source_up{job=~"$job", instance=~"$instance"}'),
  'uneditable-dashboard': (board) => (board.editable = true),
  'schema-version': (board) => (board.schemaVersion = 43),
  'stable-uid': (board) => (board.uid = 'adfk23'),
  'refresh-and-tags': (board) => (board.tags = []),
  'links': (board) => (board.links = board.links.slice(1)),
  'colours-for-all': (board) => (board.panels[0].fieldConfig.defaults.thresholds.steps[0].color = 'red'),
  'metrics-and-labels-exist': query('sum by (partner) (offhours_source_up)'),
  'legends-and-columns': (board) => (panels(board).find((one) => one.title === 'Coverage').targets[0].legendFormat = '{{source}}'),
  'layout': (board) => (board.panels[1].gridPos.x = 1),
};

for (const [rule, check] of Object.entries(RULES)) {
  test(rule, () => {
    for (const one of boards()) assert.deepEqual(findings(rule, one), [], one.file);
    const wrong = boards().find((one) => one.file === 'exporter.json');
    MISTAKES[rule](wrong.board);
    assert.notDeepEqual(check(wrong.board, known, wrong.file), [], 'the mistake is not found');
  });
}

test('every exclusion is needed', () => {
  for (const [rule, { reason, entries }] of Object.entries(exclusions)) {
    assert.ok(reason, rule);
    for (const entry of entries) {
      const { file, board } = boards().find((one) => one.board.title === entry.dashboard);
      const found = RULES[rule](board, known, file).filter((text) => !entry.panel || text.startsWith(entry.panel));
      assert.notDeepEqual(found, [], `${rule}: ${JSON.stringify(entry)}`);
    }
  }
});

test('metrics and labels in the alerts exist', () => {
  for (const { file, rules } of ruleFiles()) {
    for (const rule of rules) {
      const where = `${file}: ${rule.alert ?? rule.record}`;
      const labels = new Labels(known).of(rule.expr, where);
      const texts = Object.values(rule.annotations ?? {}).join('\n');
      for (const [, label] of texts.matchAll(/\$labels\.(\w+)/g)) assert.ok(labels.has(label), `${where}: ${label} is not in the answer`);
      for (const [, expr] of texts.matchAll(/query "([^"]+)"/g)) new Labels(known).of(expr, where);
    }
  }
});

test('labels are inferred', () => {
  const some = new Map([['a', new Set(['x', 'y'])], ['b', new Set(['x', 'z'])], ['h_bucket', new Set(['x', 'le'])]]);
  const rows = [
    ['sum by (x) (a)', 'x'],
    ['sum without (x) (a{y="1"})', 'y'],
    ['topk(2, a)', 'x y'],
    ['sum(a)', ''],
    ['a * on (x) group_left (z) b', 'x y z'],
    ['b * on (x) group_right (z) a', 'x y z'],
    ['a / on (x) b', 'x'],
    ['a and on (x) b', 'x y'],
    ['a or b', 'x y z'],
    ['2 * -a', 'x y'],
    ['time() - a', 'x y'],
    ['a - min_over_time(a[5m:1m]) > bool 0', 'x y'],
    ['histogram_quantile(0.5, rate(h_bucket[5m]))', 'x'],
    ['label_replace(a, "new", "$1", "x", "(.*)")', 'x y new'],
    ['a + b', null],
    ['a + on (y) b', null],
    ['a + ignoring (y) b', null],
    ['a * on (x) group_left (q) b', null],
    ['a{z="1"}', null],
    ['c', null],
    ['sum by (z) (a)', null],
    ['histogram_quantile(0.5, a)', null],
    ['sum(a', null],
  ];
  for (const [expr, want] of rows) {
    if (want === null) assert.throws(() => new Labels(some).of(expr, 'row'), /row: /, expr);
    else assert.deepEqual([...new Labels(some).of(expr, 'row')].sort(), want.split(' ').filter(Boolean).sort(), expr);
  }
});

test('provisioning files fit the dashboards', () => {
  const [provider] = YAML.parse(read('dashboards/provisioning/dashboards/offhours.yaml')).providers;
  assert.equal(provider.type, 'file');
  assert.equal(provider.allowUiUpdates, false);
  assert.match(provider.options.path, /^\/.+/);
  const [source] = YAML.parse(read('dashboards/provisioning/datasources/prometheus.yaml')).datasources;
  assert.equal(source.type, boards()[0].board.templating.list[0].query);
  assert.ok(source.uid && source.url && source.jsonData.timeInterval);
});

//! The rules of Grafana's dashboard-linter under their own names, and a few of this house.
//!
//! Each takes a dashboard and tells what is wrong with it. What `dashboards/.lint` excludes, with a reason, is left out.
'use strict';
const { Labels, all, parse, selectors } = require('./promql.js');
const { panels, plain } = require('./boards.js');

const DATASOURCE = '${datasource}';
/** Those of Grafana's units that make sense here. */
const UNITS = ['none', 'short', 'percentunit', 's', 'bytes', 'Bps', 'cps', 'dateTimeAsIso', 'dateTimeFromNow'];
/** The palette of Okabe and Ito, which colour-blind people can tell apart, and no colour. */
const COLOURS = ['#000000', '#E69F00', '#56B4E9', '#009E73', '#F0E442', '#0072B2', '#D55E00', '#CC79A7', 'transparent'];
const COLOUR_MODES = ['thresholds', 'fixed', 'shades'];
const LATEST_SCHEMA = 42;

const variables = (board) => board.templating.list;
const filters = (board) => variables(board).filter((one) => one.type === 'query');
const targets = (board) => panels(board).flatMap((panel) => panel.targets.map((target) => ({ panel, target })));
const name = (panel, target) => `${panel.title}${target ? ` ${target.refId}` : ''}`;

/** Findings about every target; one that cannot be parsed is told by `target-promql-rule` alone. */
function perTarget(board, check) {
  return targets(board).flatMap(({ panel, target }) => {
    const say = (text) => `${name(panel, target)}: ${text}`;
    try {
      parse(plain(target.expr), '');
    } catch {
      return [];
    }
    return check(plain(target.expr), { panel, target }).map(say);
  });
}

/** Every selector has the matcher of this label, where its metric has the label and the board the variable. */
function matched(board, label, known) {
  if (!filters(board).some((one) => one.name === label)) return [];
  return perTarget(board, (expr) => {
    const without = selectors(expr, '').filter(({ metric, matchers }) => {
      const has = known.get(metric)?.has(label);
      return has && !matchers.some((one) => one.label === label && one.op === '=~' && one.value === `$${label}`);
    });
    return without.map(({ metric }) => `${metric} without ${label}=~"$${label}"`);
  });
}

/** A variable of the kind that the linter asks for. */
function template(board, label) {
  const found = variables(board).find((one) => one.name === label);
  if (!found) return [`no variable ${label}`];
  const wrong = {
    'is no query': found.type !== 'query',
    'has another data source': found.datasource?.uid !== DATASOURCE,
    'is labelled otherwise': found.label !== label[0].toUpperCase() + label.slice(1),
    'takes one value only': !found.multi,
    'has another value for all': found.allValue !== '.+',
  };
  return Object.keys(wrong).filter((text) => wrong[text]).map((text) => `${label} ${text}`);
}

/** The call that takes the range of a selector, if one does. */
function callOfRange(selector, expr) {
  const range = selector.parent;
  if (range?.name !== 'MatrixSelector') return { range: null, call: null };
  let call = range.parent;
  while (call && call.name !== 'FunctionCall') call = call.parent;
  const text = (node) => expr.slice(node.from, node.to);
  return { range: text(range).match(/\[(.*)\]/)[1], call: call ? text(call.getChild('FunctionIdentifier')) : null };
}

/** Every colour anywhere in a panel or an annotation. */
function colours(value, key = '') {
  if (typeof value === 'string') return /color$/i.test(key) ? [value] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([inner, one]) => colours(one, Array.isArray(value) ? key : inner));
}

const RULES = {
  'template-datasource-rule': (board) => {
    const found = variables(board).filter((one) => one.type === 'datasource');
    if (found.length !== 1) return ['not one variable for the data source'];
    const [{ query, name: called, label }] = found;
    return query === 'prometheus' && called === 'datasource' && label === 'Data source' ? [] : ['the variable for the data source is called otherwise'];
  },
  'template-job-rule': (board) => template(board, 'job'),
  'template-instance-rule': (board) => template(board, 'instance'),
  'template-label-promql-rule': (board, known) =>
    filters(board).flatMap((one) => {
      const found = /^label_values\((.+), ([a-z_]+)\)$/.exec(one.query);
      if (!found) return [`${one.name}: ${one.query} lists no values of a label`];
      try {
        return new Labels(known).of(found[1], one.name).has(found[2]) ? [] : [`${one.name}: no label ${found[2]}`];
      } catch (error) {
        return [error.message];
      }
    }),
  'template-on-time-change-reload-rule': (board) => filters(board).filter((one) => one.refresh !== 2).map((one) => `${one.name} is not read again`),
  'panel-datasource-rule': (board) =>
    targets(board)
      .filter(({ panel, target }) => panel.datasource?.uid !== DATASOURCE || target.datasource?.uid !== DATASOURCE)
      .map(({ panel, target }) => name(panel, target)),
  'panel-title-description-rule': (board) => panels(board).filter((panel) => !panel.title || !panel.description).map((panel) => `${panel.id} ${panel.title}`),
  'panel-units-rule': (board) =>
    panels(board).flatMap((panel) => {
      const own = panel.fieldConfig.overrides.flatMap((one) => one.properties).filter((one) => one.id === 'unit');
      const units = [panel.fieldConfig.defaults.unit, ...own.map((one) => one.value)];
      return units.filter((unit) => !UNITS.includes(unit)).map((unit) => `${panel.title}: ${unit}`);
    }),
  'panel-no-targets-rule': (board) => panels(board).filter((panel) => !panel.targets?.length).map((panel) => panel.title),
  'target-promql-rule': (board) =>
    targets(board).flatMap(({ panel, target }) => {
      try {
        parse(plain(target.expr), name(panel, target));
        return [];
      } catch (error) {
        return [error.message];
      }
    }),
  'target-rate-interval-rule': (board) =>
    targets(board).flatMap(({ panel, target }) => {
      const ranges = [...target.expr.matchAll(/\b(i?rate)\([^[\]]*\[([^\]]*)\]/g)];
      return ranges.filter((found) => found[2] !== '$__rate_interval').map((found) => `${name(panel, target)}: ${found[1]} over ${found[2]}`);
    }),
  'target-job-rule': (board, known) => matched(board, 'job', known),
  'target-instance-rule': (board, known) => matched(board, 'instance', known),
  'target-counter-agg-rule': (board) =>
    perTarget(board, (expr, { panel }) =>
      selectors(expr, '').flatMap(({ metric, node }) => {
        if (!metric.endsWith('_total')) return [];
        const { call } = callOfRange(node, expr);
        return ['rate', 'irate', 'increase'].includes(call) ? [] : [`${metric} without rate or increase`];
      }),
    ),
  'template-variable-matchers-rule': (board, known) => filters(board).flatMap((one) => matched(board, one.name, known)),
  'uneditable-dashboard': (board) => (board.editable === false ? [] : ['it can be edited']),

  // Not of the linter.
  'schema-version': (board) => (Number.isInteger(board.schemaVersion) && board.schemaVersion <= LATEST_SCHEMA ? [] : [`${board.schemaVersion}`]),
  'stable-uid': (board, _known, file) => (board.uid === `offhours-${file.replace('.json', '')}` && board.id === undefined ? [] : [`${board.uid}, ${board.id}`]),
  'refresh-and-tags': (board) => (board.refresh === '30s' && board.tags.includes('offhours') ? [] : ['refresh or tags']),
  'links': (board) => {
    const to = (type) => board.links.find((one) => one.type === type);
    const known = to('dashboards')?.tags.includes('offhours') && to('link')?.url === '${offhours_url}/';
    return known && variables(board).some((one) => one.name === 'offhours_url') ? [] : ['no link to the other dashboards, or none to the status page'];
  },
  'colours-for-all': (board) => {
    const found = colours([board.panels, board.annotations.list]).filter((colour) => !COLOURS.includes(colour));
    const modes = [...JSON.stringify(board.panels).matchAll(/"color":\{"mode":"([^"]+)"/g)].map((one) => one[1]);
    return [...found, ...modes.filter((mode) => !COLOUR_MODES.includes(mode))];
  },
  'metrics-and-labels-exist': (board, known) => {
    const asked = [...targets(board).map(({ panel, target }) => [target.expr, name(panel, target)]), ...board.annotations.list.map((one) => [one.expr, one.name])];
    return asked.flatMap(([expr, where]) => {
      try {
        new Labels(known).of(plain(expr), where);
        return [];
      } catch (error) {
        return [error.message];
      }
    });
  },
  'legends-and-columns': (board, known) => panels(board).flatMap((panel) => (panel.type === 'table' ? columns(panel, known) : legends(panel, known))),
  'layout': (board) => {
    const places = board.panels.map((panel) => panel.gridPos);
    const apart = (a, b) => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
    const over = places.flatMap((a, i) => places.slice(i + 1).filter((b) => !apart(a, b)).map((b) => `${JSON.stringify(a)} over ${JSON.stringify(b)}`));
    const ids = board.panels.map((panel) => panel.id);
    return [...over, ...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `${id} twice`)];
  },
};

const labelsOf = (target, known) => {
  try {
    return new Labels(known).of(plain(target.expr), '');
  } catch {
    return new Set();
  }
};

/** A legend names labels of its answer, and tells every series apart. */
function legends(panel, known) {
  return panel.targets.flatMap((target) => {
    const labels = labelsOf(target, known);
    const named = [...target.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]);
    const single = panel.type === 'stat';
    const left = single || target.legendFormat === '' ? [] : [...labels].filter((label) => !named.includes(label) && !(label === 'job' && named.includes('instance')));
    const wrong = named.filter((label) => !labels.has(label));
    return [...wrong.map((label) => `${name(panel, target)}: no label ${label}`), ...left.map((label) => `${name(panel, target)}: the legend lacks ${label}`)];
  });
}

/** Columns are renamed and styled by names that are there. */
function columns(panel, known) {
  const labels = panel.targets.map((target) => [...labelsOf(target, known)]).flat();
  const values = panel.targets.map((target) => (panel.targets.length === 1 ? 'Value' : `Value #${target.refId}`));
  const have = new Set(['Time', ...labels, ...values]);
  const { renameByName, excludeByName } = panel.transformations.find((one) => one.id === 'organize').options;
  const lost = [...Object.keys(renameByName), ...Object.keys(excludeByName)].filter((column) => !have.has(column));
  const bare = [...have].filter((column) => !renameByName[column] && !excludeByName[column]);
  const shown = Object.values(renameByName);
  const styled = panel.fieldConfig.overrides.map((one) => one.matcher.options).concat(panel.options.sortBy.map((one) => one.displayName));
  return [
    ...lost.map((column) => `${panel.title}: no column ${column}`),
    ...bare.map((column) => `${panel.title}: ${column} is neither named nor left out`),
    ...styled.filter((column) => !shown.includes(column)).map((column) => `${panel.title}: nothing is shown as ${column}`),
  ];
}

module.exports = { RULES };

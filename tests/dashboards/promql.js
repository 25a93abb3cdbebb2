//! Which labels the answer of a PromQL expression has, and whether every metric and label in it exists.
'use strict';
const { parser } = require('@prometheus-io/lezer-promql');

const SET_OPERATORS = ['And', 'Or', 'Unless'];
const same = (a, b) => a.size === b.size && [...a].every((label) => b.has(label));
const union = (a, b) => new Set([...a, ...b]);
const minus = (a, labels) => new Set([...a].filter((label) => !labels.includes(label)));

/** The syntax tree; an error names the place. */
function parse(expr, where) {
  const tree = parser.parse(expr);
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`${where}: syntax at ${node.from}: ${expr}`);
    },
  });
  return tree.topNode;
}

/** All nodes of a kind below a node, with itself. */
function all(node, kind) {
  const found = [];
  node.cursor().iterate((at) => {
    if (at.name === kind) found.push(at.node);
  });
  return found;
}

/** The selectors of an expression: `{ metric, matchers: [{ label, op, value }], node }`. */
function selectors(expr, where) {
  const text = (node) => expr.slice(node.from, node.to);
  return all(parse(expr, where), 'VectorSelector').map((node) => ({
    node,
    metric: text(node.getChild('Identifier') ?? node).split('{')[0],
    matchers: all(node, 'UnquotedLabelMatcher').map((one) => ({
      label: text(one.getChild('LabelName')),
      op: text(one.getChild('MatchOp')),
      value: text(one.getChild('StringLiteral')).slice(1, -1),
    })),
  }));
}

/** Infers labels from those of known series; throws on what does not exist or can never match. */
class Labels {
  constructor(known) {
    this.known = known;
  }

  /** The labels of the answer; empty for a scalar. */
  of(expr, where) {
    this.expr = expr;
    this.where = where;
    return this.infer(parse(expr, where).firstChild) ?? new Set();
  }

  fail(what) {
    throw new Error(`${this.where}: ${what}: ${this.expr}`);
  }

  text(node) {
    return this.expr.slice(node.from, node.to);
  }

  need(labels, have, what) {
    for (const label of labels) if (!have.has(label)) this.fail(`${what} has no label ${label}`);
  }

  infer(node) {
    switch (node.name) {
      case 'NumberDurationLiteral':
      case 'StringLiteral':
        return null;
      case 'VectorSelector':
        return this.selector(node);
      case 'AggregateExpr':
        return this.aggregate(node);
      case 'FunctionCall':
        return this.call(node);
      case 'BinaryExpr':
        return this.binary(node);
      default:
        return this.infer(node.name === 'UnaryExpr' ? node.lastChild : node.firstChild);
    }
  }

  selector(node) {
    const name = node.getChild('Identifier');
    if (!name) this.fail('a selector without a name');
    const labels = this.known.get(this.text(name));
    if (!labels) this.fail(`no metric ${this.text(name)} in the catalogue`);
    const matchers = all(node, 'UnquotedLabelMatcher').map((one) => this.text(one.getChild('LabelName')));
    this.need(matchers, labels, this.text(name));
    return labels;
  }

  aggregate(node) {
    const inner = this.infer(node.getChild('FunctionCallBody').lastChild);
    const modifier = node.getChild('AggregateModifier');
    const labels = modifier ? this.names(modifier.getChild('GroupingLabels')) : [];
    this.need(labels, inner, 'what is aggregated');
    if (['topk', 'bottomk'].includes(this.text(node.getChild('AggregateOp')))) return inner;
    return modifier?.getChild('Without') ? minus(inner, labels) : new Set(labels);
  }

  names(node) {
    return node ? node.getChildren('LabelName').map((one) => this.text(one)) : [];
  }

  call(node) {
    const name = this.text(node.getChild('FunctionIdentifier'));
    const body = node.getChild('FunctionCallBody');
    const parts = [];
    for (let child = body?.firstChild; child; child = child.nextSibling) {
      if (!/^[(),]$/.test(child.name)) parts.push(child);
    }
    const inner = parts.map((part) => this.infer(part)).find((labels) => labels !== null);
    if (name === 'time' || name === 'scalar') return null;
    if (name === 'vector') return new Set();
    if (!inner) this.fail(`${name} of no vector`);
    if (name === 'histogram_quantile') {
      this.need(['le'], inner, 'the histogram');
      return minus(inner, ['le']);
    }
    if (name === 'label_replace') {
      const word = (at) => this.text(parts[at]).slice(1, -1);
      this.need([word(3)], inner, 'label_replace');
      return union(inner, [word(1)]);
    }
    return inner;
  }

  binary(node) {
    const left = this.infer(node.firstChild);
    const right = this.infer(node.lastChild);
    if (left === null || right === null) return left ?? right;
    const clause = node.getChild('MatchingModifierClause');
    const groups = clause ? clause.getChildren('GroupingLabels') : [];
    const set = SET_OPERATORS.find((operator) => node.getChild(operator));
    if (!clause) {
      if (set !== 'Or' && !same(left, right)) this.fail(`sides with the labels ${[...left]} and ${[...right]} never match`);
      return set === 'Or' ? union(left, right) : left;
    }
    const labels = this.names(groups[0]);
    if (clause.getChild('On')) {
      this.need(labels, left, 'the left side');
      this.need(labels, right, 'the right side');
    } else if (!same(minus(left, labels), minus(right, labels))) {
      this.fail(`sides with the labels ${[...left]} and ${[...right]} never match`);
    }
    if (set) return set === 'Or' ? union(left, right) : left;
    const [many, one] = clause.getChild('GroupRight') ? [right, left] : [left, right];
    if (clause.getChild('GroupLeft') || clause.getChild('GroupRight')) {
      const brought = this.names(groups[1]);
      this.need(brought, one, 'the side that is joined');
      return union(many, brought);
    }
    return clause.getChild('On') ? new Set(labels) : minus(left, labels);
  }
}

module.exports = { Labels, all, parse, selectors };

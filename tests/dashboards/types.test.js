//! The dashboards have the types of `@grafana/schema`: options and field settings of each kind of panel, strictly.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { ROOT, boards } = require('./boards.js');

const HERE = path.join(ROOT, 'target', 'dashboards');
const KINDS = { stat: 'Stat', bargauge: 'BarGauge', table: 'Table', timeseries: 'TimeSeries', 'state-timeline': 'StateTimeline' };
/** Kinds whose settings of fields are those of all panels. */
const WITHOUT_FIELDS = ['stat', 'bargauge'];

/** What a dashboard is, for the compiler: JSON has the values of an enumeration, not its names. */
function prelude() {
  const imports = Object.entries(KINDS).map(([kind, name]) => {
    const folder = kind.replace('-', '');
    return `import type * as ${name} from '@grafana/schema/dist/esm/raw/composable/${folder}/panelcfg/x/${name}PanelCfg_types.gen';`;
  });
  const panels = Object.entries(KINDS).map(([kind, name]) => {
    const fields = WITHOUT_FIELDS.includes(kind) ? '{}' : `${name}.FieldConfig`;
    return `  | Shown<'${kind}', ${name}.Options, ${fields}>`;
  });
  return `
import type { Dashboard, Panel, RowPanel, FieldConfig, FieldConfigSource, AnnotationQuery, DataSourceRef } from '@grafana/schema';
${imports.join('\n')}
type Json<T> = unknown extends T ? T
  : T extends string ? \`\${T}\`
  : T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : never)
  : T extends boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Json<U>[]
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : T;
interface Target { refId: string; datasource: DataSourceRef; editorMode: 'code' | 'builder'; expr: string; format: 'time_series' | 'table' | 'heatmap'; instant: boolean; range: boolean; legendFormat: string }
type Shown<Kind, Options, Fields> = Json<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>> & {
  type: Kind;
  options: Json<Options>;
  fieldConfig: Json<Omit<FieldConfigSource, 'defaults'>> & { defaults: Json<Omit<FieldConfig, 'custom'>> & { custom?: Json<Fields> } };
  targets: Target[];
};
type Any = Json<Omit<RowPanel, 'panels'>> & { panels: never[] }
${panels.join('\n')};
interface Annotation { expr: string; titleFormat: string; textFormat: string; useValueForTime: boolean; step: string }
export type Board = Json<Omit<Dashboard, 'panels' | 'annotations'>> & {
  panels: Any[];
  annotations: { list: (Json<AnnotationQuery> & Annotation)[] };
};
`;
}

/** What the compiler says of these dashboards, as lines. */
function compile(all) {
  const folder = fs.mkdtempSync(path.join(HERE, 'types-'));
  try {
    fs.writeFileSync(path.join(folder, 'board.ts'), prelude());
    for (const { file, board } of all) {
      const text = `import type { Board } from './board';\nexport const board: Board = ${JSON.stringify(board, null, 1)};\n`;
      fs.writeFileSync(path.join(folder, file.replace('.json', '.ts')), text);
    }
    const options = { strict: true, noEmit: true, skipLibCheck: true, module: 'esnext', target: 'esnext', moduleResolution: 'bundler', types: [] };
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    execFileSync(process.execPath, [path.join(HERE, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8', stdio: 'pipe' });
    return [];
  } catch (error) {
    return error.stdout.split('\n').filter((line) => line.includes('error TS') || line.startsWith('  '));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test('the compiler takes the dashboards', () => {
  assert.deepEqual(compile(boards()), []);
});

test('the compiler refuses what Grafana does not know', () => {
  const of = (board, kind) => board.panels.find((panel) => panel.type === kind);
  const mistakes = {
    'a key that is not there': (board) => (of(board, 'table').options.cellSize = 'sm'),
    'a word that is none': (board) => (of(board, 'stat').options.colorMode = 'loud'),
    'a wrong type': (board) => (of(board, 'timeseries').fieldConfig.defaults.custom.lineWidth = '2'),
    'a number that is none': (board) => (board.graphTooltip = 7),
    'an unknown kind of panel': (board) => (of(board, 'bargauge').type = 'bars'),
    'a missing key': (board) => delete of(board, 'table').options.frameIndex,
    'a variable that is none': (board) => (board.templating.list[0].hide = 9),
  };
  const wrong = Object.values(mistakes).map((spoil, index) => {
    const { board } = boards().find((one) => one.file === 'overview.json');
    spoil(board);
    return { file: `wrong-${index}.json`, board };
  });
  const said = compile(wrong);
  Object.keys(mistakes).forEach((mistake, index) => {
    assert.ok(said.some((line) => line.includes(`wrong-${index}.ts`)), mistake);
  });
});

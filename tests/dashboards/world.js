//! A world in which everything has just gone wrong: an agreement and logs near a given moment, with every reason in them.
'use strict';

const MINUTE = 60 * 1000;
const HOUR = 60;

const iso = (ms) => new Date(ms).toISOString();
/** A line in logfmt. */
const line = (fields) => `${Object.entries(fields).map(([key, value]) => `${key}=${value}`).join(' ')}\n`;

/** Instants and hours of the day, minutes from `now`. */
function around(now) {
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const at = (minutes) => iso(minute + minutes * MINUTE);
  const hour = (minutes) => at(minutes).slice(11, 16);
  const daily = (from, to) => `"Mo-Su ${hour(from)}-${hour(to) === '00:00' ? '24:00' : hour(to)}"`;
  return { at, daily, civil: (minutes) => at(minutes).slice(0, 19) };
}

function config(now) {
  const { daily, civil } = around(now);
  return `services:
  orion: { timezone: UTC, business_hours: ${daily(-6 * HOUR, 3 * HOUR)} }
  vega: { timezone: UTC, business_hours: ${daily(-20, 4 * HOUR)} }
  lyra: { timezone: UTC, business_hours: ${daily(HOUR, 5 * HOUR)} }
  draco: { timezone: UTC, freezes: [{ name: audit, from: "${civil(-10 * HOUR)}", to: "${civil(10 * HOUR)}" }] }
  cygnus: { timezone: UTC, freezes: [{ name: launch, from: "${civil(-15)}", to: "${civil(5 * HOUR)}" }] }
  norma: {}
partners:
  northhost:
    timezone: UTC
    windows: 24/7
    confirmation: { required: false, notice: 1h }
    emergencies: { allowed: true, approve_within: 1h }
    procedures:
      compaction: { services: [orion, vega, draco, cygnus, norma], expected_duration: 1h, max_duration: 4h, reviewed: ${civil(-30 * 24 * HOUR).slice(0, 10)}, review_every: 180d }
      failover: { services: [norma], windows: ${daily(6 * HOUR, 8 * HOUR)} }
      scheduled: { services: [norma], triggers: [schedule] }
      backup: { services: [norma, orion], confirmation: { required: true } }
      nightly: { services: [norma], windows: ${daily(-180, -10)} }
      short: { services: [norma], max_duration: 30m }
      index: { services: [norma], verify_within: 10m }
      long: { services: [lyra], expected_duration: 3h }
      filed: { services: [norma], windows: { ics: windows.ics, summary: "Window" } }
  southhost:
    timezone: UTC
    windows: 24/7
    confirmation: { required: false, early: 0, late: 0 }
    late_after: 1s
    procedures:
      patching: { services: [norma] }
sources:
  - { name: north, partner: northhost, files: [north.log], format: logfmt, max_silence: 1h }
  - { name: desk, partner: northhost, ours: true, files: [desk.log], format: logfmt }
  - { name: south, partner: southhost, files: [south.log], format: logfmt, max_silence: 1h }
`;
}

function calendar(now) {
  const stamp = (minutes) => around(now).at(minutes).replaceAll(/[-:]|\.000/g, '');
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//offhours//tests//EN', 'BEGIN:VEVENT', 'UID:one', `DTSTAMP:${stamp(-9000)}`,
    `DTSTART:${stamp(-30)}`, `DTEND:${stamp(90)}`, 'SUMMARY:Window', 'RRULE:FREQ=DAILY;COUNT=30', 'END:VEVENT', 'END:VCALENDAR'];
  return `${lines.join('\r\n')}\r\n`;
}

/** What was written before offhours starts, in the order of its stamps. */
function history(now) {
  const { at } = around(now);
  const rows = [];
  const add = (minutes, fields) => rows.push([minutes, { time: at(minutes), ...fields }]);
  let number = 0;
  const run = (procedure, service, from, to, fields = {}) => {
    const id = `N-${++number}`;
    add(from, { event: 'started', run_id: id, procedure, service, trigger: 'schedule', ...fields });
    if (to !== null) add(to, { event: 'finished', run_id: id });
    return id;
  };
  const notice = (id, minutes, from, to, fields = {}) =>
    add(minutes, { change_id: id, status: 'confirmed', procedure: 'backup', service: 'norma', planned_start: at(from), planned_end: at(to), ...fields });

  // As agreed, often enough for a percentile.
  for (const start of [-900, -800, -700, -600, -400, -200]) run('compaction', 'norma', start, start + 50);
  notice('C-1', -1500, -420, -360);
  run('backup', 'norma', -420, -370, { change_id: 'C-1' });
  // One for each reason at the start.
  run('compaction', 'orion', -120, -60);
  run('failover', 'norma', -120, -90);
  run('compaction', 'draco', -110, -80);
  run('mystery', 'norma', -100, -70);
  run('scheduled', 'norma', -95, -60, { trigger: 'manual' });
  notice('C-2', -500, -90, -30);
  add(-200, { change_id: 'C-2', status: 'cancelled' });
  run('backup', 'norma', -90, -50, { change_id: 'C-2' });
  run('backup', 'norma', -300, -290);
  notice('C-3', -100, -75, -30);
  run('backup', 'norma', -75, -40, { change_id: 'C-3' });
  notice('C-4', -800, -280, -200);
  run('backup', 'norma', -220, -205, { change_id: 'C-4' });
  // One for each reason while it runs and at its end; those without an end are still open.
  run('nightly', 'norma', -60, null);
  notice('C-5', -500, -55, -20);
  run('backup', 'norma', -55, null, { change_id: 'C-5' });
  run('compaction', 'vega', -60, null);
  run('compaction', 'cygnus', -58, null);
  run('short', 'norma', -50, null);
  run('index', 'norma', -100, -70);
  notice('C-6', -130, -120, -60, { change_type: 'emergency' });
  run('backup', 'norma', -120, -90, { change_id: 'C-6' });
  run('compaction', 'norma', -25 * HOUR, null);
  // Waits for its approval.
  notice('C-10', -30, -25, 60, { change_type: 'emergency', service: 'orion' });
  run('backup', 'orion', -24, null, { change_id: 'C-10' });
  // Waived, projected, and as agreed so far.
  notice('C-7', -160, -150, -90, { change_type: 'emergency', service: 'orion' });
  run('backup', 'orion', -150, -95, { change_id: 'C-7' });
  notice('C-8', -70, -65, 60, { change_type: 'emergency', service: 'orion' });
  run('backup', 'orion', -64, null, { change_id: 'C-8' });
  run('long', 'lyra', -30, null);
  run('filed', 'norma', -20, null);
  // Ahead: one of each status, one against the rules.
  notice('C-20', -600, 120, 180);
  notice('C-21', -500, 300, 360, { status: 'tentative' });
  notice('C-22', -400, 400, 460);
  add(-390, { change_id: 'C-22', status: 'cancelled' });
  notice('C-23', -300, -10, 50);
  add(-9, { change_id: 'C-23', status: 'in-process' });
  notice('C-24', -200, 60, 120, { service: 'orion' });
  // Noise, a line that cannot be read, an end without a start.
  add(-5, { msg: 'heartbeat' });
  add(-4, { event: 'exploded', run_id: 'N-0', procedure: 'compaction', service: 'norma' });
  add(-3, { event: 'finished', run_id: 'N-0' });
  return rows.sort((a, b) => a[0] - b[0]).map(([, fields]) => line(fields)).join('');
}

/** What we approved before offhours starts. */
function approvals(now) {
  const { at } = around(now);
  const approved = (minutes, change_id) => line({ time: at(minutes), event: 'approved', change_id });
  return approved(-140, 'C-7') + approved(-63, 'C-8');
}

module.exports = { approvals, calendar, config, history, iso, line };

//! How fast noise is passed over and records are read: `cargo bench --bench format`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use offhours::calendar::Zone;
use offhours::format::{
    Field, FileState, Format, Joiner, Match, Pattern, Piece, Preset, Reader, Spec, compile,
    count_lines,
};
use offhours::time::Instant;

const LOGFMT: &str = "time=2025-11-10T13:10:00Z level=info msg=\"maintenance task\" state=STARTED \
    task=archive-compaction job=AC-10-M target=atlas trigger=manual operator=noc-shift-b";
const JSON: &str = r#"{"time":"2025-11-10T13:10:00Z","level":"info","msg":"maintenance task","state":"STARTED","task":"archive-compaction","job":"AC-10-M","target":["atlas"],"trigger":"manual","host":{"name":"mx-01","rack":7}}"#;
const NOISE: [&str; 4] = [
    "time=2025-11-02T00:00:00Z level=info msg=heartbeat host=mx-01 uptime_s=2764800\n",
    "time=2025-11-02T00:31:23.459Z level=debug msg=\"replica lag\" target=helios seconds=2.65\n",
    "time=2025-11-02T00:31:52Z level=warn msg=\"slow query\" ms=4456 query=\"select id from archive where state='STARTED'\"\n",
    "time=2025-11-02T01:26:07.448Z level=info msg=\"queue depth\" task=ingest depth=373\n",
];

fn reader(format: Format, any: &[&str]) -> Reader {
    let fields = [
        (Field::Event, "state"),
        (Field::Procedure, "task"),
        (Field::RunId, "job"),
        (Field::Service, "target"),
    ];
    let any = any.iter().map(|word| word.to_string()).collect();
    Reader::new(Arc::new(Spec {
        matching: Some(Match { key: Some("msg".to_owned()), any }),
        fields: fields.map(|(field, key)| (field, key.to_owned())).into(),
        ..Spec::new(format, Zone::utc())
    }))
}

fn blocks(c: &mut Criterion) {
    let block = NOISE.concat().repeat(4000).into_bytes();
    let file = FileState::default();
    let mut group = c.benchmark_group("block");
    group.throughput(Throughput::Bytes(block.len() as u64));
    for any in [&["maintenance task"][..], &["maintenance task", "change notice"], &["queue depth"]]
    {
        let reader = reader(Format::Logfmt, any);
        group.bench_function(any.join(" or "), |b| {
            b.iter(|| reader.candidates(black_box(&block), &file).count());
        });
    }
    group.bench_function("count lines", |b| b.iter(|| count_lines(black_box(&block))));
    group.finish();
}

/// Noise of a server log, most of it in several lines, past a preset that joins lines.
fn presets(c: &mut Criterion) {
    let noise = concat!(
        "2026-11-02 00:00:07.369 CET [58151] LOG:  checkpoint starting: time\n",
        "2026-11-02 00:00:09.101 CET [58160] app@main LOG:  duration: 1201.220 ms  statement: select id\n",
        "\tfrom archive\n\twhere state = 'STARTED' and note like 'automatic vacuum%'\n",
        "2026-11-02 00:00:11.020 CET [58160] app@main ERROR:  relation \"x\" does not exist at character 15\n",
    );
    let block = noise.repeat(4000).into_bytes();
    let mut group = c.benchmark_group("preset");
    group.throughput(Throughput::Bytes(block.len() as u64));
    let preset = Preset::find("postgresql").expect("a preset");
    let joining = Reader::new(Arc::new(preset.spec(Zone::utc()).expect("a good preset")));
    let mut spec = preset.spec(Zone::utc()).expect("a good preset");
    spec.continuation = None;
    let single = Reader::new(Arc::new(spec));
    let file = FileState::default();
    for (name, reader) in [("joined", &joining), ("line by line", &single)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut joiner = Joiner::default();
                let mut found = 0;
                for (n, block) in black_box(&block).chunks(block.len() / 4).enumerate() {
                    let end = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
                    let take = &mut |piece: Piece<'_>| {
                        found += reader.candidates(piece.bytes, &file).count();
                    };
                    joiner.push(reader, n as u64, block.get(..end).unwrap_or_default(), take);
                }
                found
            });
        });
    }
    group.finish();
}

fn lines(c: &mut Criterion) {
    let pattern = r#"^time=(?P<time>\S+) .*msg="(?P<msg>[^"]*)" state=(?P<state>\w+) task=(?P<task>\S+) job=(?P<job>\S+)"#;
    let regex = Format::Regex(vec![Pattern::plain(compile(pattern).expect("the pattern is good"))]);
    let near: Instant = "2025-11-10T13:00:00Z".parse().expect("a stamp");
    let file = FileState::default();
    let any = ["maintenance task", "change notice"];
    for (name, format, line) in [
        ("logfmt", Format::Logfmt, LOGFMT),
        ("json", Format::Json { patterns: Vec::new() }, JSON),
        ("regex", regex, LOGFMT),
    ] {
        let reader = reader(format, &any);
        c.bench_function(&format!("{name} read"), |b| {
            b.iter(|| reader.read(black_box(line.as_bytes()), &file, near));
        });
        c.bench_function(&format!("{name} passes"), |b| {
            b.iter(|| reader.passes(black_box(line.as_bytes()), &file));
        });
        c.bench_function(&format!("{name} stamp"), |b| {
            b.iter(|| reader.stamp(black_box(line.as_bytes()), &file, near));
        });
    }
    let reader = reader(Format::Logfmt, &any);
    c.bench_function("noise passes", |b| {
        b.iter(|| reader.passes(black_box(NOISE[2].as_bytes()), &file));
    });
}

criterion_group!(benches, blocks, presets, lines);
criterion_main!(benches);

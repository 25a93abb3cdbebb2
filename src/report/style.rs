//! What pages that are one file look like: on a screen, light or dark, and on paper.

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::report::plain::html;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5a6675;--line:#d8dee6;--paper:#fff;--tint:#f4f6f9;
--good:#1f7a4d;--bad:#b3261e;--warn:#9a6700;--wait:#3b5b8c;--none:#9aa5b1;
--business:#d5e3f5;--window:#d8efe2;--window-foot:#2c9a68;--freeze:#e6e0ee;--freeze-line:#9c88b8;
--ran:#2f6fb5;--broke:#c8500a;--exempt:#8a4f8f;--unknown:#e9b949}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9fabb9;--line:#36414e;--paper:#12181f;--tint:#1b232c;
--good:#5cc08d;--bad:#ff8a80;--warn:#e0b050;--wait:#8fb4ea;--none:#5d6875;
--business:#22364f;--window:#1b3a2d;--window-foot:#3fae7c;--freeze:#2f2a3c;--freeze-line:#8674a6;
--ran:#6aa9ec;--broke:#ff8a4c;--exempt:#c98bd0;--unknown:#d9a933}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}
main{max-width:66rem;margin:0 auto;padding:2rem 1.5rem 4rem}
header{border-bottom:3px solid var(--ink);margin-bottom:1.25rem;padding-bottom:.75rem}
h1{font-size:1.7rem;line-height:1.2;margin:0}
h2{font-size:1.15rem;margin:2.25rem 0 .6rem}
h3{font-size:1rem;margin:0 0 .35rem}
p{margin:.4rem 0}
.kind{color:var(--soft);margin:0 0 .15rem;font-size:.85rem;letter-spacing:.06em;text-transform:uppercase}
.lead{font-size:1.05rem}
.soft{color:var(--soft);font-size:.88rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0}
.tile{background:var(--tint);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.tile b{display:block;font-size:1.6rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile.good b{color:var(--good)}.tile.bad b{color:var(--bad)}.tile.warn b{color:var(--warn)}
.tile span{color:var(--soft);font-size:.85rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{border-bottom:1px solid var(--line);padding:.32rem .5rem;text-align:left;vertical-align:top}
thead th{border-bottom:2px solid var(--ink);white-space:nowrap}
.figures td,.figures thead th+th{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.figures tbody th{font-weight:400;min-width:10rem}
.figures .now{background:var(--tint);font-weight:600}
.figures .zero{color:var(--none)}
.figures .head th,.figures .head td{font-weight:600}
article{border:1px solid var(--line);border-left:4px solid var(--bad);border-radius:.4rem;padding:.8rem 1rem;margin:.8rem 0}
article dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.5rem 0 0;font-size:.92rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
dt.broken{color:var(--bad);font-weight:600}
.waived{color:var(--soft)}
.moments td:first-child,.moments td:nth-child(2){white-space:nowrap;font-variant-numeric:tabular-nums}
.moments td:nth-child(2){text-align:right;font-weight:600}
.moments .loud td{background:color-mix(in srgb,var(--bad) 9%,transparent)}
code{font:.85em/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
figure{margin:.75rem 0}
figcaption{color:var(--soft);font-size:.85rem}
svg{max-width:100%;height:auto}
.chart{min-width:38rem}.chart text{fill:var(--soft);font:11px system-ui,sans-serif}
.chart .n{fill:var(--ink);font-weight:600}
.chart .kept{fill:var(--good)}.chart .broken{fill:var(--bad)}.chart .exempt{fill:var(--wait)}
.chart .unknown{fill:var(--warn)}.chart .unseen{opacity:.4}.chart .base{stroke:var(--line)}
.key{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin:0 .35em 0 1em;background:var(--none)}
.key.kept{background:var(--good)}.key.broken{background:var(--bad)}.key.exempt{background:var(--wait)}
.key.unknown{background:var(--warn)}
.timeline{display:block;width:100%}
.timeline text{fill:var(--soft);font:11px system-ui,sans-serif}.timeline .name{fill:var(--ink)}
.timeline .hours text{text-anchor:middle;font-size:10px}.timeline .hours path{stroke:var(--line);stroke-width:1}
.timeline .track{fill:var(--tint);stroke:var(--line);stroke-width:.5}
.timeline .business{fill:var(--business)}.timeline .window{fill:var(--window)}
.timeline .window-foot{fill:var(--window-foot)}.timeline .freeze{fill:var(--freeze)}
.timeline .freeze-line{stroke:var(--freeze-line);stroke-width:2.2;fill:none}
.timeline .exempt-line{stroke:var(--paper);stroke-width:2;fill:none}
.timeline .bar{stroke-width:1}.timeline a:hover .bar{stroke:var(--ink);stroke-width:2}
.timeline .compliant{fill:var(--ran);stroke:var(--ran)}.timeline .violation{fill:var(--broke);stroke:var(--broke)}
.timeline .exempt{fill:var(--exempt);stroke:var(--exempt)}
.timeline .unknown{fill:var(--unknown);stroke:var(--ink);stroke-dasharray:2 1.5}
.timeline .planned{fill:none;stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 2}
.timeline .projected{fill:none;stroke:var(--ink);stroke-dasharray:1.5 2}
.timeline .flag{fill:var(--broke);stroke:var(--paper);stroke-width:1}
.timeline .hours .clock{fill:var(--ink);font-weight:700}
.timeline .now-line{stroke:var(--ink);stroke-width:2;fill:none}
.list .column{display:none}
h1.bad{color:var(--bad)}h1.good{color:var(--good)}h1.warn{color:var(--warn)}
a{color:inherit}a:focus-visible{outline:2px solid var(--wait);outline-offset:2px}
.broken{color:var(--bad);font-weight:600}
.verdict{display:inline-block;border:1px solid currentColor;border-radius:1em;padding:0 .6em;font-size:.88em;font-weight:600}
.verdict.compliant{color:var(--ran)}.verdict.violation{color:var(--bad)}.verdict.exempt{color:var(--exempt)}.verdict.unknown{color:var(--warn)}
dl.case{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.3rem .9rem;margin:.5rem 0}
dl.case small{font-weight:400;color:var(--soft)}
section h3{margin-top:1.1rem}article h3{margin-top:0}
.on-narrow{display:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;padding:0;margin:.6rem 0;color:var(--soft);font-size:.85rem}
.legend li{display:flex;align-items:center;gap:.4rem}.legend .timeline{width:22px;flex:none}
footer{border-top:1px solid var(--line);margin-top:2.5rem;padding-top:.75rem}
section.card+section.card{margin-top:4rem}
@media (max-width:40rem){main{padding:1rem .8rem 3rem}.on-wide{display:none}.on-narrow{display:block}
.list thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}.list,.list tbody,.list tr,.list td{display:block}
.list td{border:0;padding:.1rem 0;overflow-wrap:anywhere}.list tr{border-bottom:1px solid var(--line);padding:.45rem 0}
.list .column{display:inline;color:var(--soft)}dl.case{grid-template-columns:1fr}.list td:first-child .column{display:none}
article dl{grid-template-columns:1fr}dt{margin-top:.35rem}}
@page{size:A4;margin:16mm 14mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--tint:#f2f2f2;--good:#14633b;
--bad:#9c1c15;--warn:#7a5200;--wait:#2c4a78;--none:#777}
html{font-size:9.5pt}body{font-size:1rem}main{max-width:none;padding:0}.tiles{grid-template-columns:repeat(5,1fr)}.chart{min-width:0}.wide{overflow:visible}
article,.tile,tr,figure{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}
section.card+section.card{break-before:page;margin-top:0}
.tile,.figures .now,.chart,.key,.moments .loud td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
";

/// What a page may do (Content Security Policy Level 3): show itself in its own style, and nothing else.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
});

/// A whole page. `body` is HTML already; nothing is loaded, and no script or form can run.
pub fn page(title: &str, body: &str) -> String {
    whole(title, body, "")
}

/// A page that a browser asks for anew after so many seconds.
pub fn fresh_page(title: &str, body: &str, seconds: u32) -> String {
    whole(title, body, &format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"))
}

fn whole(title: &str, body: &str, more: &str) -> String {
    let allowed = &*POLICY;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{allowed}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n{more}<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        html(title)
    )
}

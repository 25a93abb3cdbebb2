//! What pages that are one file look like: on a screen, light or dark, and on paper.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::report::plain::html;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5a6675;--line:#d8dee6;--paper:#fff;--tint:#f4f6f9;
--good:#1f7a4d;--bad:#b3261e;--warn:#9a6700;--wait:#3b5b8c;--none:#9aa5b1}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9fabb9;--line:#36414e;--paper:#12181f;--tint:#1b232c;
--good:#5cc08d;--bad:#ff8a80;--warn:#e0b050;--wait:#8fb4ea;--none:#5d6875}}
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
footer{border-top:1px solid var(--line);margin-top:2.5rem;padding-top:.75rem}
section.card+section.card{margin-top:4rem}
@media (max-width:40rem){main{padding:1rem .8rem 3rem}article dl{grid-template-columns:1fr}dt{margin-top:.35rem}}
@page{size:A4;margin:16mm 14mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--tint:#f2f2f2;--good:#14633b;
--bad:#9c1c15;--warn:#7a5200;--wait:#2c4a78;--none:#777}
html{font-size:9.5pt}body{font-size:1rem}main{max-width:none;padding:0}.tiles{grid-template-columns:repeat(5,1fr)}.chart{min-width:0}.wide{overflow:visible}
article,.tile,tr,figure{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}
section.card+section.card{break-before:page;margin-top:0}
.tile,.figures .now,.chart,.key,.moments .loud td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
";

/// A whole page. `body` is HTML already; nothing is loaded, and no script or form can run.
pub fn page(title: &str, body: &str) -> String {
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let allowed = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{allowed}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        html(title)
    )
}

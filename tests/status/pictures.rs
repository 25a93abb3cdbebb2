//! The page as headless Chromium shows it: light, dark, and as narrow as a telephone.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::folder;
use crate::support::outside::program_of_others;

/// Nothing but the page is asked for, and nobody else is.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--force-color-profile=srgb",
];

/// A telephone's width in CSS pixels.
const NARROW: u32 = 390;

fn chromium(program: &Path, home: &Path, arguments: &[String]) -> String {
    let profile = format!("--user-data-dir={}", home.join("profile").display());
    let output = Command::new(program)
        .args(FLAGS)
        .arg(profile)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("chromium starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The pixels of a picture, red, green and blue.
fn pixels(file: &Path) -> Vec<[u8; 3]> {
    let picture = std::io::BufReader::new(std::fs::File::open(file).expect("a picture"));
    let mut reader = png::Decoder::new(picture).read_info().expect("a PNG file");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bytes).expect("pixels");
    let samples = info.color_type.samples();
    assert!(3 <= samples, "{:?}", info.color_type);
    bytes[..info.buffer_size()].chunks_exact(samples).map(|p| [p[0], p[1], p[2]]).collect()
}

/// The share of the pixels that are of about this colour, in thousandths.
fn share(pixels: &[[u8; 3]], colour: [u8; 3]) -> f64 {
    let is_near = |p: &&[u8; 3]| p.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 6);
    pixels.iter().filter(is_near).count() as f64 * 1_000.0 / pixels.len() as f64
}

#[test]
fn browsers_show_it_light_dark_and_narrow() {
    let Some(program) = program_of_others("chromium") else { return };
    let home = folder();
    let page = home.path().join("page.html");
    std::fs::write(&page, super::midday()).expect("a page");
    // A window cannot be as narrow as a telephone; a frame can.
    let frame = home.path().join("frame.html");
    let script = "document.title = 'width ' + f.contentDocument.documentElement.scrollWidth + ' bars ' + \
         [...f.contentDocument.querySelectorAll('.on-narrow .bar')].filter(b => b.getBoundingClientRect().width).length";
    let html = format!(
        "<!doctype html><title>frame</title><body style=\"margin:0\"><iframe id=\"f\" src=\"page.html\" \
         style=\"border:0;width:{NARROW}px;height:1800px\" onload=\"{script}\"></iframe>"
    );
    std::fs::write(&frame, html).expect("a page");
    let shot = |name: &str, of: &Path, width: u32, more: &[&str]| {
        let file = home.path().join(name);
        let mut arguments: Vec<String> = more.iter().map(ToString::to_string).collect();
        arguments.push(format!("--window-size={width},1500"));
        arguments.push(format!("--screenshot={}", file.display()));
        arguments.push(format!("file://{}", of.display()));
        chromium(&program, home.path(), &arguments);
        pixels(&file)
    };
    let light = shot("light.png", &page, 1_100, &["--blink-settings=preferredColorScheme=1"]);
    let dark = shot("dark.png", &page, 1_100, &["--blink-settings=preferredColorScheme=0"]);
    let narrow = shot("narrow.png", &frame, 500, &["--blink-settings=preferredColorScheme=1"]);
    let (paper, night) = ([255, 255, 255], [0x12, 0x18, 0x1f]);
    let (broken, broken_at_night) = ([0xc8, 0x50, 0x0a], [0xff, 0x8a, 0x4c]);
    let (business, business_at_night) = ([0xd5, 0xe3, 0xf5], [0x22, 0x36, 0x4f]);
    // Paper everywhere, business hours as bands, and the violation where it is: there to be seen, and not everything.
    for (picture, paper, broken, business) in [
        (&light, paper, broken, business),
        (&dark, night, broken_at_night, business_at_night),
        (&narrow, paper, broken, business),
    ] {
        assert!(500.0 < share(picture, paper), "paper: {}", share(picture, paper));
        let band = share(picture, business);
        assert!(5.0 < band && band < 200.0, "business hours: {band}");
        let bar = share(picture, broken);
        assert!(0.01 < bar && bar < 20.0, "the violation: {bar}");
    }
    let dump = [
        "--dump-dom".into(),
        "--window-size=500,1800".into(),
        format!("file://{}", frame.display()),
    ];
    let told = chromium(&program, home.path(), &dump);
    let (_, told) = told.split_once("<title>width ").expect("the width of the page");
    let told = told.split_once("</title>").expect("an end").0;
    let (width, bars) = told.split_once(" bars ").expect("bars");
    assert_eq!(width, NARROW.to_string(), "it is wider than a telephone");
    assert!(bars.parse::<usize>().expect("a number") > 2, "{told}");
}

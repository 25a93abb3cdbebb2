//! The page at `/`: what this is, whether it is ready, and where to go from here.

/// Links of the landing page, with what is found there.
const LINKS: &[(&str, &str)] = &[
    ("/metrics", "the metrics that Prometheus scrapes"),
    ("/api/v1/runs", "the runs on record, newest first"),
    ("/api/v1/sources", "the logs that are followed, and how they are"),
    ("/-/healthy", "whether the process is alive"),
    ("/-/ready", "whether the first catch-up is done"),
];

/// HTML without scripts or foreign resources.
pub fn page(version: &str, ready: bool) -> String {
    let state = if ready { "ready" } else { "catching up with the logs" };
    let links: String = LINKS
        .iter()
        .map(|(path, what)| format!("<li><a href=\"{path}\">{path}</a> {what}</li>\n"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>offhours</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;\
         padding:0 1rem}}li{{margin:.25rem 0}}a{{margin-right:.5rem}}</style>\n</head>\n<body>\n\
         <h1>offhours</h1>\n<p>Judges maintenance runs against what was agreed. Version {version}, \
         {state}.</p>\n<ul>\n{links}</ul>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_is_there() {
        let page = page("1.2.3", false);
        for (path, _) in LINKS {
            assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        }
        assert!(page.contains("1.2.3") && page.contains("catching up"));
    }
}

//! The links between the project's pages: to files that exist, and to headings that they have.
//!
//! Owns just as much of Markdown as that takes. Addresses elsewhere are nobody's business here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders with other people's pages, or none.
const ELSEWHERE: [&str; 3] = ["target", "node_modules", "artifacts"];

/// Every link that leads nowhere, as one line, and how many links there are.
pub(crate) fn broken() -> (Vec<String>, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    collect(root, &mut pages);
    let (mut broken, mut count) = (Vec::new(), 0);
    for page in &pages {
        let text = prose(&fs::read_to_string(page).expect("the page can be read"));
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            count += 1;
            if let Some(problem) = problem(page, link) {
                let page = page.strip_prefix(root).expect("it is below").display();
                broken.push(format!("{page}: {link} {problem}"));
            }
        }
    }
    (broken, count)
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && !ELSEWHERE.contains(&&*name) {
                collect(&path, pages);
            }
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}

/// A page without its blocks of code.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What stands in the parentheses of `[text](link)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

fn problem(page: &Path, link: &str) -> Option<&'static str> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target =
        if file.is_empty() { page.to_owned() } else { page.parent().expect("a page is in a folder").join(file) };
    if !target.exists() {
        return Some("does not exist");
    }
    if heading.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let page = fs::read_to_string(&target).expect("the page can be read");
    (!anchors(&page).contains(heading)).then_some("is no heading of that page")
}

/// The names that GitHub gives to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in prose(page).lines().filter(|line| line.starts_with('#')) {
        let name = anchor(heading.trim_start_matches('#').trim());
        let again = (1..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(again).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

#[test]
fn names_headings_as_github_does() {
    let page = "# One, `two`\n```sh\n# a comment\n```\n## What's (new)\n## One, two\n";
    let expected = ["one-two", "one-two-1", "whats-new"].map(str::to_owned);
    assert_eq!(anchors(page), BTreeSet::from(expected));
}

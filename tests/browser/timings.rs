//! The page of `--timings`, in Chromium.

use serde_json::Value;
use wbstore_sandbox::browser::dom;
use wbstore_sandbox::cloud::{Cloud, PROVISION};
use wbstore_sandbox::gcp::Gcp;

/// What the page's own policy forbids: it is lifted for the measurement.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const MEASURE: &str = "<script>
const bars = [...document.querySelectorAll('.bar')].map(bar => bar.getBoundingClientRect());
document.title = JSON.stringify({
    width: document.documentElement.scrollWidth, window: innerWidth,
    ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
    bars: bars.length, visible: bars.filter(bar => bar.width >= 2 && bar.right <= innerWidth + 2).length,
    loaded: performance.getEntriesByType('resource').length });
</script></body>";

#[tokio::test]
#[ignore = "needs Chromium: cargo sandbox test"]
async fn the_timings_are_readable_at_a_laptops_width_in_light_and_dark() {
    let cloud = Gcp::fresh().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (page, data) = (folder.path().join("run.html"), folder.path().join("run.json"));
    let files = ["--timings", page.to_str().expect("UTF-8"), "--timings", data.to_str().expect("UTF-8")];
    Cloud::run(&cloud, "provision", &[PROVISION, &files].concat()).await.ends(0);
    let run: Value = serde_json::from_slice(&std::fs::read(&data).expect("it is there")).expect("JSON");
    let requests = run["requests"].as_array().expect("a list").len();
    let text = std::fs::read_to_string(&page).expect("it is there");
    assert!(text.contains(POLICY), "nothing may be loaded");
    let measured = text.replace(POLICY, "").replace("</body>", MEASURE);
    std::fs::write(&page, measured).expect("it is written");
    for (is_dark, ground) in [(false, "rgb(255, 255, 255)"), (true, "rgb(22, 24, 28)")] {
        let dom = dom(&page, 1280, is_dark).await.expect("Chromium renders it");
        let title = dom.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        let seen: Value = serde_json::from_str(title.expect("a title").0).expect("the script ran");
        assert!(seen["width"].as_u64() <= seen["window"].as_u64(), "it is wider than the window: {seen}");
        assert_eq!(seen["ground"], ground, "{seen}");
        assert_ne!(seen["ground"], seen["ink"], "{seen}");
        assert_eq!((&seen["bars"], &seen["visible"]), (&requests.into(), &requests.into()), "{seen}");
        assert_eq!(seen["loaded"], 0, "{seen}");
    }
}

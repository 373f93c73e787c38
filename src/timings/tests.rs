use super::*;

fn request(subject: &str, others: &str, start_ms: u64, took_ms: u64) -> Request {
    let (subject, others) = (subject.to_owned(), others.to_owned());
    Request { subject, others, start_ms, took_ms, status: 200, ..Request::default() }
}

#[test]
fn a_request_waits_for_the_last_response_of_what_its_resource_waits_for() {
    let mut requests = [
        request("", "", 0, 10),
        request("bucket", "", 10, 20),
        request("queue", "", 10, 25),
        request("cors", "bucket", 36, 10),
        request("cors", "bucket", 50, 10),
    ];
    link(&mut requests);
    let found: Vec<_> = requests.iter().map(|one| (one.after, one.wait_ms, one.trip)).collect();
    let expected = [(None, 0, 1), (Some(0), 0, 2), (Some(0), 0, 2), (Some(1), 6, 3), (Some(3), 4, 4)];
    assert_eq!(found, expected, "the queue answered later than the bucket, and is not what cors waited for");
}

#[test]
fn text_of_others_is_text_on_the_page() {
    let timings = Timings::default();
    timings.0.lock().unwrap().requests.push(request("<script>alert(1)</script>", "", 0, 1));
    let page = page::html(&timings.of("wbstore plan aws --name '\"><img src=x>'".to_owned(), 0));
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn what_is_over_the_limit_is_counted() {
    let timings = Timings::default();
    {
        let mut recorded = timings.0.lock().unwrap();
        recorded.requests = vec![request("objects", "", 0, 1); 2_500];
        recorded.omitted = 7;
    }
    let page = page::html(&timings.of("wbstore teardown aws".to_owned(), 0));
    assert!(page.contains("2507 requests") && page.contains("The first 2000 of 2507"), "{page}");
}

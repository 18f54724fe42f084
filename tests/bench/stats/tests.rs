use super::*;

fn flat(value: f64) -> Summary {
    Summary { median: value, low: value, high: value }
}

fn round(before: f64, ours: f64, after: f64) -> Round<f64> {
    Round { before, ours, after }
}

#[test]
fn a_summary_is_the_median_and_the_range() {
    assert_eq!(Summary::of([3.0, 1.0, 2.0]), Some(Summary { median: 2.0, low: 1.0, high: 3.0 }));
    assert_eq!(Summary::of([4.0, 1.0, 2.0, 3.0]), Some(Summary { median: 2.5, low: 1.0, high: 4.0 }));
    assert_eq!(Summary::of([]), None);
}

#[test]
fn a_slow_minute_that_hits_base_and_ours_leaves_the_ratio_alone() {
    let rounds = [round(1.0, 1.2, 1.0), round(2.0, 2.4, 2.0), round(4.0, 4.8, 4.0)];
    let comparison = Comparison::of(&rounds, |figure| *figure).unwrap();
    assert!((comparison.ratio.median - 1.2).abs() < 1e-9 && comparison.ratio.spread() < 1e-9);
    assert_eq!(comparison.control, flat(1.0));
    assert_eq!(comparison.judge(Target::AtMost(1.3)), Verdict::Pass);
    assert_eq!(comparison.judge(Target::AtMost(1.1)), Verdict::Fail);
    assert!(Comparison::of(&[], |figure: &f64| *figure).is_none());
}

#[test]
fn a_restless_base_allows_no_claim_either_way() {
    for control in [0.84, 1.16] {
        for ours in [0.5, 5.0] {
            let verdict = Target::AtMost(1.3).judge(&flat(ours), &flat(control));
            assert_eq!(verdict, Verdict::NoClaim("base against base differs too much"));
        }
    }
}

#[test]
fn a_distance_under_the_spread_allows_no_claim_either_way() {
    let verdict =
        |median| Target::AtLeast(1.0).judge(&Summary { median, low: median - 0.2, high: median + 0.2 }, &flat(1.0));
    let unclear = Verdict::NoClaim("the distance to the target is under the spread");
    assert_eq!([verdict(0.9), verdict(1.1)], [unclear.clone(), unclear]);
    assert_eq!([verdict(0.7), verdict(1.3)], [Verdict::Fail, Verdict::Pass]);
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let sorted: Vec<u32> = (1..=200).collect();
    assert_eq!((percentile(&sorted, 50), percentile(&sorted, 99)), (Some(100), Some(198)));
    assert_eq!(percentile(&[7], 99), Some(7));
    assert_eq!(percentile::<u32>(&[], 50), None);
}

#[test]
fn a_summary_shows_three_figures() {
    let shown = [0.123, 12.34, 12_345.6].map(|value| flat(value).to_string());
    assert_eq!(shown, ["0.12 [0.12-0.12]", "12.3 [12.3-12.3]", "12346 [12346-12346]"]);
}
